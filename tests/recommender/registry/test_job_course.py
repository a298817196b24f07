from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recommender.models import RebuildJob
from recommender.registry import job_course

START = datetime(2026, 1, 1, tzinfo=UTC)


def stages(*named: tuple[str, float]) -> list[job_course.Stage]:
    return [{"stage": name, "at": at, "memory": 2_000_000_000} for name, at in named]


def job(*named: tuple[str, float], state: str = "running", seconds: float | None = None) -> RebuildJob:
    return RebuildJob.objects.create(
        state=state,
        stage=named[-1][0] if named else "",
        stages=stages(*named),
        leased_until=START,
        started_at=START,
        finished_at=None if seconds is None else START + timedelta(seconds=seconds),
    )


@pytest.mark.django_db
def test_how_much_is_done_is_what_the_last_good_rebuild_had_done_by_then() -> None:
    job(("reading", 0), ("collaborative", 30), state="done", seconds=40)
    job(("reading", 0), ("collaborative", 5), state="failed", seconds=10)
    running = job(("reading", 0), ("collaborative", 12))
    begins = START + timedelta(seconds=12)
    assert (job_course.share_done(running, begins), job_course.seconds_left(running, begins)) == (0.75, 10)
    later = begins + timedelta(seconds=6)
    assert (job_course.share_done(running, later), job_course.seconds_left(running, later)) == (0.9, 4)
    much_later = begins + timedelta(hours=1)
    assert (job_course.share_done(running, much_later), job_course.seconds_left(running, much_later)) == (1, 0)


@pytest.mark.django_db
def test_a_stage_that_is_slow_is_not_taken_to_be_over() -> None:
    job(("reading", 0), ("collaborative", 30), state="done", seconds=40)
    assert job_course.share_done(job(("reading", 0)), START + timedelta(hours=1)) == 0.75


@pytest.mark.django_db
def test_a_finished_rebuild_is_done() -> None:
    assert job_course.share_done(job(("reading", 0), state="done", seconds=40), START) == 1


@pytest.mark.django_db
def test_without_one_like_it_nobody_knows_how_much_is_done() -> None:
    first = job(("reading", 0))
    assert job_course.share_done(first, START) is None
    job(("reading", 0), state="done", seconds=40)
    assert job_course.share_done(first, START) is None
    other = job(("writing", 3))
    assert (job_course.share_done(other, START), job_course.seconds_left(other, START)) == (None, None)


@pytest.mark.django_db
def test_the_table_says_what_each_stage_took_and_nothing_of_the_one_at_work() -> None:
    named = (("reading", 0.0), ("writing", 2.5))
    assert job_course.table(job(*named)) == [("reading", "2.5 s", "2,000 MB"), ("writing", "", "2,000 MB")]
    finished = job(*named, state="done", seconds=4)
    assert job_course.table(finished) == [("reading", "2.5 s", "2,000 MB"), ("writing", "1.5 s", "2,000 MB")]


@pytest.mark.django_db
def test_a_rebuild_that_has_not_begun_has_no_stages() -> None:
    assert job_course.table(job()) == []


def test_memory_is_that_of_the_process() -> None:
    stage = job_course.noted("reading", 1.26)
    assert (stage["stage"], stage["at"]) == ("reading", 1.3)
    assert 10e6 < stage["memory"] < 1e12
