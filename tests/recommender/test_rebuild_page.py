from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender import rebuild_page
from recommender.models import ModelVersion, RebuildJob, RebuildRequest

pytestmark = pytest.mark.django_db

NOW = timezone.now()
STAGES = [{"stage": "reading", "at": 0.0, "memory": 5e8}, {"stage": "writing", "at": 120.0, "memory": 2.5e9}]


def finished(**fields: object) -> RebuildJob:
    begun = NOW - timedelta(hours=6)
    return RebuildJob.objects.create(
        **{
            "state": "done", "stage": "writing", "stages": STAGES, "leased_until": begun, "started_at": begun,
            "finished_at": begun + timedelta(seconds=240),
        } | fields
    )  # fmt: skip


def test_before_anything_there_is_nothing_to_say() -> None:
    page = rebuild_page.page(NOW)
    assert (page.job, page.waiting, page.changes, page.percent, page.left) == (None, None, False, None, "")


def test_a_running_rebuild_goes_as_the_last_one_went() -> None:
    finished()
    begun = NOW - timedelta(seconds=60)
    RebuildJob.objects.create(
        stage="reading", stages=STAGES[:1], started_at=begun, leased_until=timezone.now() + timedelta(seconds=60)
    )
    page = rebuild_page.page(NOW)
    # A minute into 240 seconds.
    assert (page.running, page.lost, page.percent, page.gone, page.left) == (True, False, 25, "1 min 0 s", "3 min 0 s")
    assert page.changes
    # It has not said that reading is done, which took two minutes.
    page = rebuild_page.page(NOW + timedelta(hours=1))
    assert (page.percent, page.gone, page.left) == (50, "1 h 1 min", "2 min 0 s")


def test_a_rebuild_not_heard_of_is_said_to_be_lost() -> None:
    RebuildJob.objects.create(started_at=NOW - timedelta(seconds=9), leased_until=NOW - timedelta(seconds=1))
    page = rebuild_page.page(NOW)
    assert (page.running, page.lost, page.percent, page.gone, page.left) == (True, True, None, "9 s", "")


def test_what_nobody_begins_is_said_to_wait_long() -> None:
    RebuildRequest.objects.create(asked_at=NOW - timedelta(seconds=90))
    assert not rebuild_page.page(NOW).waits_long
    page = rebuild_page.page(NOW + timedelta(seconds=1))
    assert (page.waits_long, page.changes) == (True, True)


@pytest.mark.parametrize(("state", "passed"), [("ready", True), ("refused", False), ("retired", True)])
def test_a_finished_one_has_a_verdict(state: str, passed: bool) -> None:
    finished(version=ModelVersion.objects.create(name="v1", state=state))
    page = rebuild_page.page(NOW)
    assert (page.passed, page.changes, page.gone, page.percent) == (passed, False, "4 min 0 s", None)
    assert page.course == (("reading", "120.0 s", "500 MB"), ("writing", "120.0 s", "2,500 MB"))
