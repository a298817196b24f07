"""The scheduler of beat: schedules live in Postgres, editors' changes stay, and two beats run each slot once.

`django_celery_beat` overwrites the stored schedule with CELERY_BEAT_SCHEDULE at each start, and two beats would send
every task twice. Here the setting only makes what is missing, and a beat that wants to send a task first claims the
slot: of several that saw the same last run, one moves it on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from celery.schedules import schedstate
from django.db.models import F, Q
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry


class ClaimedEntry(ModelEntry):  # type: ignore[misc]
    """One row of the schedule, as one beat sees it."""

    last_run_at: datetime

    @classmethod
    def from_entry(cls, name: str, app: Any = None, **entry: Any) -> ClaimedEntry:
        """Return the stored entry as it is; make it of the setting when there is none."""
        stored = PeriodicTask.objects.filter(name=name).first()
        if stored is None:
            stored, _ = PeriodicTask.objects.get_or_create(name=name, defaults=cls._unpack_fields(**entry))
        return cls(stored, app=app)

    def claim(self) -> bool:
        """Note in Postgres that it runs now; False when another beat has done so since this one looked."""
        now = self._default_now()
        unchanged = Q(last_run_at=None) | Q(last_run_at__lte=self.last_run_at)
        claimed = PeriodicTask.objects.filter(unchanged, pk=self.model.pk).update(
            last_run_at=now, total_run_count=F("total_run_count") + 1
        )
        if not claimed:
            self.model.refresh_from_db(fields=["last_run_at", "total_run_count"])
            self.last_run_at = self.model.last_run_at
            self.total_run_count = self.model.total_run_count
        return bool(claimed)

    def save(self) -> None:
        """Leave the row alone: `claim` wrote it, and another beat may have written a later run since."""


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """What `celery beat` runs (CELERY_BEAT_SCHEDULER)."""

    Entry = ClaimedEntry

    def is_due(self, entry: ClaimedEntry) -> schedstate:
        """Return whether this beat is to send the task now, and when to look again."""
        due: schedstate = entry.is_due()
        # Another beat's claim is a later run, from which the next look starts: it is not lost for ever.
        while due.is_due and not entry.claim():
            due = entry.is_due()
        return due
