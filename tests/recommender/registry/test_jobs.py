from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone

from recommender.exceptions import LeaseLost
from recommender.models import RebuildJob
from recommender.registry import jobs
from recommender.registry.jobs import Lease, NotNow


def claim(reason: str = "test") -> Lease:
    lease = jobs.claim(reason)
    assert isinstance(lease, Lease)
    return lease


def run_out(lease: Lease) -> None:
    """Let the lease have ended a second ago."""
    held = RebuildJob.objects.filter(fencing_token=lease.fencing_token)
    held.update(leased_until=timezone.now() - timedelta(seconds=1))


def job(lease: Lease) -> RebuildJob:
    return RebuildJob.objects.get(fencing_token=lease.fencing_token)


@pytest.mark.django_db
def test_a_claim_while_another_is_alive_says_who_holds_it() -> None:
    lease = claim("nightly")
    lease.heartbeat("als")
    refused = jobs.claim("by hand")
    assert refused == NotNow(
        fencing_token=lease.fencing_token, reason="nightly", stage="als", leased_until=job(lease).leased_until
    )
    assert RebuildJob.objects.count() == 1


@pytest.mark.django_db
def test_a_finished_job_makes_room_for_a_newer_token() -> None:
    with claim() as first:
        first.finish(None)
    second = claim()
    assert second.fencing_token > first.fencing_token
    assert second.attempt == 1
    assert job(first).state == "done"
    assert job(first).finished_at is not None
    assert job(first).error == ""


@pytest.mark.django_db
def test_a_heartbeat_names_the_stage_and_extends_the_lease() -> None:
    lease = claim()
    run_out(lease)
    lease.heartbeat("als", seconds=600)
    held = job(lease)
    assert held.stage == "als"
    assert timedelta(seconds=590) < held.leased_until - timezone.now() < timedelta(seconds=610)
    assert isinstance(jobs.claim("other"), NotNow)


@pytest.mark.django_db
def test_a_lease_that_ran_out_is_taken_over() -> None:
    dead = claim()
    run_out(dead)
    taker = claim()
    assert taker.attempt == 2
    assert job(dead).state == "failed"
    assert job(dead).error == f"The lease ran out; taken over by rebuild {taker.fencing_token}."
    for attempt in (lambda: dead.heartbeat("als"), lambda: dead.finish(None)):
        with pytest.raises(LeaseLost):
            attempt()
    dead.fail("too late")
    assert job(dead).error == f"The lease ran out; taken over by rebuild {taker.fencing_token}."
    assert job(taker).state == "running"


@pytest.mark.django_db
def test_an_exception_is_recorded_and_goes_on() -> None:
    lease = claim()
    with pytest.raises(MemoryError), lease:
        raise MemoryError("factors")
    assert (job(lease).state, job(lease).error) == ("failed", "MemoryError: factors")
    assert isinstance(jobs.claim("again"), Lease)


@pytest.mark.django_db
def test_a_block_that_ends_without_a_result_has_failed() -> None:
    with claim() as lease:
        pass
    assert (job(lease).state, job(lease).error) == ("failed", "ended without a result")


@pytest.mark.django_db
def test_losing_the_lease_inside_the_block_keeps_what_the_taker_wrote() -> None:
    lease = claim()
    run_out(lease)
    taker = claim()
    with pytest.raises(LeaseLost), lease:
        lease.heartbeat("als")
    assert job(lease).error == f"The lease ran out; taken over by rebuild {taker.fencing_token}."


@pytest.mark.django_db
def test_an_abandoned_rebuild_is_started_again_at_most_three_times() -> None:
    assert jobs.abandoned() is None
    for attempt in (1, 2):
        lease = claim()
        assert lease.attempt == attempt
        assert jobs.abandoned() is None
        run_out(lease)
        found = jobs.abandoned()
        assert found is not None
        assert found.fencing_token == lease.fencing_token
    last = claim()
    run_out(last)
    assert jobs.abandoned() is None
    assert (job(last).state, job(last).error) == ("failed", "The lease ran out at attempt 3 of 3; given up.")
    assert claim().attempt == 1


@pytest.mark.django_db
def test_a_fourth_claim_starts_a_new_series() -> None:
    for _ in range(3):
        lease = claim()
        run_out(lease)
    assert lease.attempt == 3
    assert claim().attempt == 1


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["done", "failed"])
def test_a_job_that_has_ended_may_not_publish(state: str) -> None:
    lease = claim()
    RebuildJob.objects.update(state=state)
    with pytest.raises(LeaseLost, match=f"may not publish: it is {state}"):
        jobs.require_newest(lease.fencing_token)


@pytest.mark.django_db
def test_nobody_may_publish_without_a_claim() -> None:
    with pytest.raises(LeaseLost, match="Rebuild 7 may not publish: no rebuild is the newest"):
        jobs.require_newest(7)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does; fail after ten seconds."""
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("nothing happened in ten seconds")


@pytest.mark.usefixtures("committed")
def test_a_long_stage_keeps_its_lease() -> None:
    lease = jobs.claim("long", seconds=0.6)
    assert isinstance(lease, Lease)
    ends = job(lease).leased_until
    with lease:
        wait_until(lambda: job(lease).leased_until > ends + timedelta(seconds=1))
        assert isinstance(jobs.claim("other"), NotNow)
        lease.finish(None)
    assert job(lease).state == "done"
    assert not lease._beating.is_alive()


@pytest.mark.usefixtures("committed")
def test_a_lease_taken_over_is_not_extended_any_more() -> None:
    lease = jobs.claim("cut off", seconds=0.3)
    assert isinstance(lease, Lease)
    with lease:
        RebuildJob.objects.filter(fencing_token=lease.fencing_token).update(state="failed", error="taken over")
        wait_until(lambda: not lease._beating.is_alive())
        with pytest.raises(LeaseLost):
            lease.heartbeat("als")
    assert (job(lease).state, job(lease).error) == ("failed", "taken over")


@pytest.mark.usefixtures("committed")
def test_a_moment_without_postgres_does_not_end_the_extending(monkeypatch: pytest.MonkeyPatch) -> None:
    lease = jobs.claim("restart", seconds=0.6)
    assert isinstance(lease, Lease)
    ends = job(lease).leased_until
    update = QuerySet.update
    refusals = iter(range(2))

    def refuse_twice(query: QuerySet[RebuildJob], **values: object) -> int:
        if threading.current_thread() is lease._beating and next(refusals, None) is not None:
            raise OperationalError("server closed the connection unexpectedly")
        return update(query, **values)

    monkeypatch.setattr(QuerySet, "update", refuse_twice)
    with lease:
        wait_until(lambda: job(lease).leased_until > ends)


@pytest.mark.usefixtures("committed")
def test_of_eight_claims_at_once_one_gets_the_lease() -> None:
    results: list[Lease | NotNow] = []
    barrier = threading.Barrier(8)

    def claim_together() -> None:
        barrier.wait()
        try:
            results.append(jobs.claim("race"))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim_together) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [result for result in results if isinstance(result, Lease)]
    losers = [result for result in results if isinstance(result, NotNow)]
    assert len(losers) == 7
    assert {loser.fencing_token for loser in losers} == {winner.fencing_token}
    assert RebuildJob.objects.count() == 1
