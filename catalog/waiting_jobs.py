"""Work that somebody asks for on a page and a worker does: a row is the request, the progress and what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

logger = logging.getLogger(__name__)

SILENT_SECONDS = 120
"""A job not heard of for longer has lost its worker, and is begun again."""
ATTEMPTS_AT_MOST = 3
"""One that has lost its worker so often (it takes too much memory, say) stays as failed: others wait behind it."""
TOLD_EVERY = 5
"""Of what `done` counts."""

Tell = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


class WaitingJob(models.Model):
    """One job. A model of its own adds what is asked for."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="Users looked at.")
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, default="")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    heard_at = models.DateTimeField(null=True, help_text="Last sign of life of who measures.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="How often it was begun.")

    class Meta:
        abstract = True

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * self.done // self.total if self.total else 0


J = TypeVar("J", bound=WaitingJob)


def run_waiting(kind: type[J], work: Callable[[J, Tell], object]) -> int:
    """Do what waits, one after the other; return how many jobs that were.

    Parameters
    ----------
    work
        Returns what msgspec can write as JSON.
    """
    run = 0
    while (job := _claim(kind)) is not None:
        _run(kind, job, work)
        run += 1
    return run


def _claim(kind: type[J]) -> J | None:
    silent = Q(state=WaitingJob.State.RUNNING, heard_at__lt=timezone.now() - timedelta(seconds=SILENT_SECONDS))
    rows: Any = kind._default_manager
    given_up = rows.filter(silent, attempts__gte=ATTEMPTS_AT_MOST)
    for pk in given_up.values_list("pk", flat=True):
        logger.error("%s %d is given up after %d attempts", kind._meta.verbose_name, pk, ATTEMPTS_AT_MOST)
    error = f"Its worker died {ATTEMPTS_AT_MOST} times; its log, or the machine's, says of what."
    given_up.update(state=WaitingJob.State.FAILED, error=error)
    with transaction.atomic():
        waits = Q(state=WaitingJob.State.WAITING) | silent
        job: J | None = rows.select_for_update(skip_locked=True).filter(waits).order_by("pk").first()
        if job is not None:
            job.state, job.heard_at, job.attempts = WaitingJob.State.RUNNING, timezone.now(), job.attempts + 1
            job.save(update_fields=["state", "heard_at", "attempts"])
        return job


def _run(kind: type[J], job: J, work: Callable[[J, Tell], object]) -> None:
    rows: Any = kind._default_manager
    mine = rows.filter(pk=job.pk)

    def tell(done: int, total: int) -> None:
        if done % TOLD_EVERY == 0 or done == total:
            mine.update(done=done, total=total, heard_at=timezone.now())

    try:
        found = work(job, tell)
    # Whatever it is, who asked must be told, and the next one's turn come.
    except Exception as error:
        logger.exception("%s %d", kind._meta.verbose_name, job.pk)
        mine.update(state=WaitingJob.State.FAILED, error=f"{type(error).__name__}: {error}")
    else:
        mine.update(state=WaitingJob.State.DONE, result=msgspec.to_builtins(found), heard_at=timezone.now())
