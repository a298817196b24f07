"""A rebuild is asked for in a request and done elsewhere, once, whatever becomes of broker and worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recommender import rebuild_requests, rebuilding, tasks
from recommender.models import RebuildJob, RebuildRequest
from recommender.registry import jobs
from recommender.registry.jobs import Lease

pytestmark = pytest.mark.django_db


@pytest.fixture
def rebuilt(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the reasons of rebuilds, which claim the lease and do nothing else."""
    reasons: list[str] = []

    def rebuild(reason: str, **_: Any) -> rebuilding.Rebuilt:
        reasons.append(reason)
        lease = jobs.claim(reason)
        assert isinstance(lease, Lease)
        with lease:
            lease.finish(None)
        return rebuilding.Rebuilt(version=None, published=False, reasons=["nothing new"])

    monkeypatch.setattr(rebuilding, "rebuild", rebuild)
    return reasons


def test_asked_twice_there_is_one_rebuild(rebuilt: list[str], commit: Any) -> None:
    with commit():
        first = rebuild_requests.ask(User.objects.create_user("ada"))
        assert rebuild_requests.ask(None) is None
    assert first is not None
    assert tasks.resume_rebuild() == "not published: nothing new"
    assert tasks.resume_rebuild() == "nothing to resume"
    assert rebuilt == ["asked for by ada"]
    assert (RebuildRequest.objects.get().job, RebuildRequest.objects.count()) == (RebuildJob.objects.get(), 1)


def test_nothing_is_asked_for_while_one_runs() -> None:
    assert isinstance(jobs.claim("schedule"), Lease)
    assert rebuild_requests.ask(None) is None
    assert not RebuildRequest.objects.exists()


def test_one_that_lost_its_worker_is_begun_again_and_fulfils_what_was_asked(rebuilt: list[str]) -> None:
    first = rebuild_requests.ask(None, publishes=False)
    lost = RebuildJob.objects.create(reason="schedule", leased_until=timezone.now() - timedelta(seconds=1))
    RebuildRequest.objects.update(job=lost)
    second = rebuild_requests.ask(None)
    tasks.resume_rebuild()
    assert tasks.resume_rebuild() == "nothing to resume"
    assert rebuilt == [f"resumed {lost.pk}"]
    again = RebuildJob.objects.exclude(pk=lost.pk).get()
    assert {one.pk: one.job_id for one in RebuildRequest.objects.all()} == {
        asked.pk: again.pk for asked in (first, second) if asked is not None
    }
    # What was wanted of the one that was lost is wanted of this one.
    assert rebuild_requests.holds_back(again.pk)


def test_the_next_scheduled_rebuild_is_the_one_that_was_asked_for() -> None:
    asked = rebuild_requests.ask(None)
    assert asked is not None
    lease = jobs.claim("schedule")
    assert isinstance(lease, Lease)
    asked.refresh_from_db()
    assert asked.job_id == lease.fencing_token
    assert rebuild_requests.waiting() is None


def test_what_was_asked_for_does_not_keep_a_running_rebuild_from_publishing() -> None:
    lease = jobs.claim("schedule", seconds=-1)
    assert isinstance(lease, Lease)
    rebuild_requests.ask(None)
    jobs.require_newest(lease.fencing_token)
