"""The lease that keeps two rebuilds from publishing.

A claim makes a `RebuildJob`; its primary key, the fencing token, rises with every claim. A thread of the holder's
extends the lease while it lives; when the process dies or is cut off from Postgres the lease runs out, another claim
takes over, and whatever the first holder still tries (`heartbeat`, `publishing.publish`) raises LeaseLost. Times are
Postgres's, so clocks may differ.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from recommender.exceptions import LeaseLost
from recommender.models import ModelVersion, RebuildJob, RebuildRequest
from recommender.registry.job_course import Stage, noted
from recommender.registry.locking import exclusive

logger = logging.getLogger(__name__)

LEASE_SECONDS = 40.0
"""Longer than Postgres is away in a restart; with beat's look every ten seconds a dead rebuild is begun again within a
minute. One that lives and was taken over all the same has only worked in vain."""

ATTEMPTS_AT_MOST = 3
"""A rebuild that loses its worker three times running (out of memory, say) waits for the next scheduled one."""

_RUNNING = RebuildJob.State.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """Somebody else's rebuild is alive."""

    fencing_token: int
    reason: str
    stage: str
    leased_until: datetime


class Lease:
    """The right to publish one rebuild's result. A context manager that keeps it alive and records how it ended.

    Inside the block a thread extends the lease three times per `seconds`, so a stage may take as long as it likes; one
    that hangs for ever is ended by the task's time limit. Leaving the block without `finish` having been called, or
    by an exception, marks the job failed; the exception goes on.
    """

    def __init__(self, job: RebuildJob, seconds: float) -> None:
        self.fencing_token: int = job.fencing_token
        self.attempt: int = job.attempt
        self._seconds = seconds
        self._started = time.monotonic()
        self._stages: list[Stage] = []
        self._ended = threading.Event()
        self._beating = threading.Thread(target=self._beat, name=f"lease-{job.fencing_token}", daemon=True)

    def heartbeat(self, stage: str, *, seconds: float | None = None) -> None:
        """Note the stage that begins and extend the lease by `seconds` from now (default: as claimed).

        Raises LeaseLost when another rebuild has taken over. A lease that ran out but was not taken is revived.
        """
        extended = Now() + timedelta(seconds=self._seconds if seconds is None else seconds)
        held = RebuildJob.objects.filter(fencing_token=self.fencing_token, state=_RUNNING)
        self._stages.append(noted(stage[:50], time.monotonic() - self._started))
        if not held.update(stage=stage[:50], stages=self._stages, leased_until=extended):
            raise LeaseLost(f"Rebuild {self.fencing_token} no longer holds the lease at stage {stage!r}.")

    def finish(self, version: ModelVersion | None) -> None:
        """Record success; `version` is what came of it (None: there was nothing to do). LeaseLost when taken over."""
        held = RebuildJob.objects.filter(fencing_token=self.fencing_token, state=_RUNNING)
        if not held.update(state=RebuildJob.State.DONE, version=version, finished_at=Now()):
            raise LeaseLost(f"Rebuild {self.fencing_token} no longer holds the lease and cannot finish.")

    def fail(self, error: str) -> None:
        """Record failure with its reason; does nothing when the job has ended or was taken over."""
        held = RebuildJob.objects.filter(fencing_token=self.fencing_token, state=_RUNNING)
        held.update(state=RebuildJob.State.FAILED, error=error, finished_at=Now())

    def _beat(self) -> None:
        """Extend the lease until the block ends or another rebuild has taken over (the next stage then finds out)."""
        try:
            held = RebuildJob.objects.filter(fencing_token=self.fencing_token, state=_RUNNING)
            while not self._ended.wait(self._seconds / 3):
                try:
                    if not held.update(leased_until=Now() + timedelta(seconds=self._seconds)):
                        return
                except DatabaseError as error:
                    logger.warning("lease %s not extended: %s", self.fencing_token, error)
                    connection.close()
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._beating.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ended.set()
        self._beating.join()
        self.fail("ended without a result" if error is None else f"{type(error).__name__}: {error}")


def claim(reason: str, *, seconds: float = LEASE_SECONDS) -> Lease | NotNow:
    """Take the lease, or say who holds it.

    A lease that has run out is taken over: its job is marked failed and the new one counts as its next attempt. Whoever
    waits for a rebuild, or waited for that one, waits for this one.
    """
    with exclusive():
        running = RebuildJob.objects.filter(state=_RUNNING)
        live = running.filter(leased_until__gt=Now()).first()
        if live is not None:
            return NotNow(
                fencing_token=live.fencing_token,
                reason=live.reason,
                stage=live.stage,
                leased_until=live.leased_until,
            )
        dead = running.first()
        attempt = 1 if dead is None or dead.attempt >= ATTEMPTS_AT_MOST else dead.attempt + 1
        job = RebuildJob.objects.create(
            reason=reason[:200], attempt=attempt, leased_until=Now() + timedelta(seconds=seconds)
        )
        RebuildRequest.objects.filter(Q(job=None) | Q(job=dead) if dead else Q(job=None)).update(job=job)
        error = f"The lease ran out; taken over by rebuild {job.fencing_token}."
        running.exclude(fencing_token=job.fencing_token).update(
            state=RebuildJob.State.FAILED, error=error, finished_at=Now()
        )
        return Lease(job, seconds)


def abandoned() -> RebuildJob | None:
    """Return the rebuild that lost its worker and should be started again, if there is one.

    For the periodic task: recovery must not depend on the broker's redelivery. A job that has used up its attempts is
    marked failed and not returned.
    """
    with exclusive():
        dead = RebuildJob.objects.filter(state=_RUNNING, leased_until__lte=Now()).first()
        if dead is None or dead.attempt < ATTEMPTS_AT_MOST:
            return dead
        dead.state = RebuildJob.State.FAILED
        dead.error = f"The lease ran out at attempt {dead.attempt} of {ATTEMPTS_AT_MOST}; given up."
        dead.save(update_fields=["state", "error"])
        return None


def require_newest(fencing_token: int) -> None:
    """Raise LeaseLost unless `fencing_token` is the newest claim and still running. Caller holds `exclusive`."""
    newest = RebuildJob.objects.first()
    if newest is None or newest.fencing_token != fencing_token:
        holder = "no rebuild" if newest is None else f"rebuild {newest.fencing_token}"
        raise LeaseLost(f"Rebuild {fencing_token} may not publish: {holder} is the newest.")
    if newest.state != _RUNNING:
        raise LeaseLost(f"Rebuild {fencing_token} may not publish: it is {newest.get_state_display()}.")
