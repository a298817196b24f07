"""How a rebuild is going, in words for people: what the page that asks for one shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now

from recommender import rebuild_requests
from recommender.models import ModelVersion, RebuildJob, RebuildRequest
from recommender.registry import job_course

BEGUN_WITHIN = timedelta(seconds=90)
"""Beat looks every minute; after this long without anybody something is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints."""

    waiting: RebuildRequest | None
    """What has been asked for and nobody has begun."""
    waits_long: bool
    job: RebuildJob | None
    """The newest rebuild."""
    running: bool
    lost: bool
    """Its worker has not been heard of for longer than its lease."""
    percent: int | None
    gone: str
    left: str
    """Empty when nobody knows."""
    held_back: bool
    """The newest rebuild was asked for without letting it serve."""
    course: tuple[tuple[str, str, str], ...]
    """Stage, what it took, peak of memory."""

    @property
    def changes(self) -> bool:
        """Whether the page will soon say something else."""
        return self.running or self.waiting is not None

    @property
    def passed(self) -> bool:
        """Whether the gate let the newest rebuild's version through."""
        version = self.job.version if self.job is not None else None
        return version is not None and version.state != ModelVersion.State.REFUSED


def page(now: datetime) -> Page:
    """Return what there is to say of the newest rebuild, and of the one that is waited for."""
    waiting = rebuild_requests.waiting()
    job = RebuildJob.objects.select_related("version").first()
    running = job is not None and job.state == RebuildJob.State.RUNNING
    share = job_course.share_done(job, now) if job is not None and running else None
    left = job_course.seconds_left(job, now) if job is not None and running else None
    return Page(
        waiting=waiting,
        waits_long=waiting is not None and now - waiting.asked_at > BEGUN_WITHIN,
        job=job,
        running=running,
        # By Postgres's clock, which is the one that leases run by.
        lost=running and RebuildJob.objects.filter(pk=job.pk, leased_until__lte=Now()).exists() if job else False,
        percent=None if share is None else int(100 * share),
        gone=_lasted(((job.finished_at or now) - job.started_at).total_seconds()) if job is not None else "",
        left="" if left is None else _lasted(left),
        held_back=job is not None and rebuild_requests.holds_back(job.pk),
        course=tuple(job_course.table(job)) if job is not None else (),
    )


def _lasted(seconds: float) -> str:
    """Return a duration for people: 45 s, 2 min 5 s, 1 h 3 min."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
