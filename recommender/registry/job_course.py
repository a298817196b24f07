"""The course of a rebuild: which stages it has been through, with time and memory, and how much of it is done."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recommender.models import RebuildJob

Stage = dict[str, Any]
"""{"stage": name, "at": seconds after the start, "memory": peak in bytes of the process until then}."""


def noted(name: str, seconds: float) -> Stage:
    """Return the stage that begins `seconds` after the rebuild's start, in this process."""
    return {"stage": name, "at": round(seconds, 1), "memory": peak_bytes()}


def peak_bytes() -> int:
    """Return the most memory this process and any one of its children have had at once."""
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return unit * max(resource.getrusage(one).ru_maxrss for one in who)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When what began in a rebuild that ended well, in seconds after its start."""

    whole: float
    """How long it took."""
    at: Mapping[str, float]
    """By stage."""

    def end_of(self, stage: str) -> float:
        """Return when the stage ended, which must be one of `at`."""
        return min([moment for moment in self.at.values() if moment > self.at[stage]] + [self.whole])


def last_good(before: RebuildJob | None = None) -> Course | None:
    """Return the course of the last rebuild that ended well (`before` that one), None when there is none."""
    jobs = RebuildJob.objects.filter(state=RebuildJob.State.DONE)
    job = (jobs if before is None else jobs.filter(fencing_token__lt=before.fencing_token)).first()
    if job is None or job.finished_at is None:
        return None
    whole = (job.finished_at - job.started_at).total_seconds()
    return Course(whole=whole, at={stage["stage"]: stage["at"] for stage in job.stages}) if whole > 0 else None


def share_done(job: RebuildJob, now: datetime) -> float | None:
    """Return about how much of a rebuild is done, 0..1, as the last one that ended well went.

    None when there was none, or none with the stage that this one is at.
    """
    if job.state == RebuildJob.State.DONE:
        return 1.0
    reached = _reached(job, now)
    return None if reached is None else reached[0] / reached[1]


def seconds_left(job: RebuildJob, now: datetime) -> float | None:
    """Return about how long a running rebuild will take from now on, as the last good one went; None as above."""
    reached = _reached(job, now)
    return None if reached is None else reached[1] - reached[0]


def _reached(job: RebuildJob, now: datetime) -> tuple[float, float] | None:
    """Return after how many seconds the last good rebuild was where this one is, and how many it took altogether.

    Within a stage both are taken to go alike, and this one not to be past it before it says so.
    """
    course = last_good(before=job)
    if course is None or job.stage not in course.at:
        return None
    within = (now - job.started_at).total_seconds() - job.stages[-1]["at"]
    return min(course.at[job.stage] + max(within, 0.0), course.end_of(job.stage)), course.whole


def table(job: RebuildJob) -> list[tuple[str, str, str]]:
    """Return stage, seconds it took (empty while it runs) and peak memory, as words, in the order they came."""
    ends = [stage["at"] for stage in job.stages[1:]]
    if job.finished_at is not None:
        ends.append((job.finished_at - job.started_at).total_seconds())
    took = [f"{end - stage['at']:.1f} s" for stage, end in zip(job.stages, ends, strict=False)]
    took += [""] * (len(job.stages) - len(took))
    return [
        (stage["stage"], seconds, f"{stage['memory'] / 1e6:,.0f} MB")
        for stage, seconds in zip(job.stages, took, strict=True)
    ]
