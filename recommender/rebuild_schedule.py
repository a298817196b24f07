"""When rebuilds are planned: what django-celery-beat's tables say, which editors change in admin."""

from __future__ import annotations

from datetime import datetime, timedelta

from celery.schedules import BaseSchedule, crontab
from celery.schedules import schedule as Interval  # noqa: N812 -- a class in Celery's own small letters
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

TASK = "recommender.tasks.rebuild_models"
LEAST_MINUTES = 10
"""Rebuilds closer together would hardly see anything new, and a worker would do little else."""


def next_planned(now: datetime) -> datetime | None:
    """Return when the next rebuild is due; None when none is planned. One query and one a kind of schedule."""
    planned = PeriodicTask.objects.select_related("interval", "crontab", "solar", "clocked")
    found = [_next(task, now) for task in planned.filter(task=TASK, enabled=True)]
    return min((moment for moment in found if moment is not None), default=None)


def _next(task: PeriodicTask, now: datetime) -> datetime | None:
    if (task.one_off and task.total_run_count) or (task.expires is not None and task.expires <= now):
        return None
    if task.start_time is not None and task.start_time > now:
        starts: datetime = task.due_start_time(timezone.get_current_timezone())
        return starts
    # As `django_celery_beat.schedulers.ModelEntry` has it: a task that has never run counts from when it was changed.
    last = (task.last_run_at or task.date_changed).astimezone(timezone.get_current_timezone())
    remaining: timedelta = task.schedule.remaining_estimate(last)
    # Celery looks at the clock a moment later than the caller: midnight would be a hair before it.
    due = now + max(remaining, timedelta(0)) + timedelta(seconds=0.5)
    return due.replace(microsecond=0)


def too_often(schedule: BaseSchedule) -> str:
    """Return why rebuilds may not be planned so, "" when they may."""
    if _closest(schedule) >= LEAST_MINUTES:
        return ""
    return f"A rebuild takes minutes: leave at least {LEAST_MINUTES} minutes between two."


def _closest(schedule: BaseSchedule) -> float:
    """Return the fewest minutes between two runs, as far as an hour shows them."""
    if isinstance(schedule, crontab):
        minutes = sorted(schedule.minute)  # type: ignore[attr-defined] # not in the stubs
        gaps = [later - sooner for sooner, later in zip(minutes, [*minutes[1:], minutes[0] + 60], strict=True)]
        return float(min(gaps))
    if isinstance(schedule, Interval):
        return float(schedule.run_every.total_seconds() / 60)  # type: ignore[attr-defined] # not in the stubs
    return float(LEAST_MINUTES)
