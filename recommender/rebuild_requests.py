"""Rebuilds asked for in admin: a row in Postgres, which the next claim of the lease takes with it.

However often it is asked, and whatever becomes of Redis or a worker meanwhile, one rebuild comes of it.
"""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from recommender.models import RebuildJob, RebuildRequest
from recommender.registry.locking import exclusive

TASK = "recommender.tasks.resume_rebuild"


def ask(by: Any, *, publishes: bool = True) -> RebuildRequest | None:
    """Note that somebody wants a rebuild; None, and nothing noted, while one waits or runs already.

    Parameters
    ----------
    publishes
        False: what passes the gate is ready and serves nobody, so that it can be tried first (`shadowing`).
    """
    with exclusive():
        running = RebuildJob.objects.filter(state=RebuildJob.State.RUNNING, leased_until__gt=Now()).exists()
        if running or waiting() is not None:
            return None
        return RebuildRequest.objects.create(asked_by=by, publishes=publishes)


def waiting() -> RebuildRequest | None:
    """Return the request that nobody has begun to fulfil, if there is one."""
    return RebuildRequest.objects.select_related("asked_by").filter(job=None).first()


def holds_back(fencing_token: int) -> bool:
    """Return whether who asked for this rebuild does not want it to serve at once."""
    return RebuildRequest.objects.filter(job_id=fencing_token, publishes=False).exists()
