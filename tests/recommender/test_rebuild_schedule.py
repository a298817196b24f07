from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery.schedules import BaseSchedule, crontab
from celery.schedules import schedule as interval
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from recommender import rebuild_schedule

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon(db: None) -> None:
    PeriodicTask.objects.all().delete()


def planned(name: str, **fields: object) -> PeriodicTask:
    return PeriodicTask.objects.create(
        **{"name": name, "task": rebuild_schedule.TASK, "last_run_at": NOON - timedelta(hours=2)} | fields
    )


@time_machine.travel(NOON, tick=False)
def test_the_soonest_plan_counts() -> None:
    assert rebuild_schedule.next_planned(NOON) is None
    planned("nightly", crontab=CrontabSchedule.objects.create(minute="0", hour="3"))
    assert rebuild_schedule.next_planned(NOON) == datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    soon = planned("often", interval=IntervalSchedule.objects.create(every=3, period="hours"))
    # Last two hours ago, every three.
    assert rebuild_schedule.next_planned(NOON) == NOON + timedelta(hours=1)
    planned("other", task="some.other.task", interval=IntervalSchedule.objects.create(every=1, period="seconds"))
    PeriodicTask.objects.filter(pk=soon.pk).update(enabled=False)
    assert rebuild_schedule.next_planned(NOON) == datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@time_machine.travel(NOON, tick=False)
def test_what_is_overdue_is_due_now_and_what_is_over_never() -> None:
    every_hour = IntervalSchedule.objects.create(every=1, period="hours")
    planned("late", interval=every_hour)
    assert rebuild_schedule.next_planned(NOON) == NOON
    PeriodicTask.objects.update(expires=NOON)
    assert rebuild_schedule.next_planned(NOON) is None
    PeriodicTask.objects.update(expires=None, one_off=True, total_run_count=1)
    assert rebuild_schedule.next_planned(NOON) is None
    PeriodicTask.objects.update(one_off=False, start_time=NOON + timedelta(days=2))
    assert rebuild_schedule.next_planned(NOON) == NOON + timedelta(days=2)


@pytest.mark.parametrize(
    ("schedule", "allowed"),
    [
        (interval(timedelta(seconds=1)), False),
        (interval(timedelta(minutes=9)), False),
        (interval(timedelta(minutes=10)), True),
        (crontab(), False),
        (crontab(minute="0,5", hour="3"), False),
        (crontab(minute="2,57"), False),
        (crontab(minute="*/10"), True),
        (crontab(minute="0", hour="*/6"), True),
    ],
)
def test_rebuilds_are_not_planned_within_ten_minutes_of_each_other(schedule: BaseSchedule, allowed: bool) -> None:
    assert (rebuild_schedule.too_often(schedule) == "") is allowed
