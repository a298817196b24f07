"""Measurements of what rules would change, asked for in admin and done by a worker, one after the other."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from recommender import impact
from recommender.models import RuleImpact
from recommender.rules import draft
from recommender.rules.vocabulary import RuleSpec

logger = logging.getLogger(__name__)

TASK = "recommender.tasks.measure_impacts"
SILENT_SECONDS = 120
"""A measurement not heard of for longer has lost its worker, and is begun again."""
ATTEMPTS_AT_MOST = 3
"""One that has lost its worker so often (it takes too much memory, say) stays as failed: others wait behind it."""
TOLD_EVERY = 5
"""Users."""


def ask(by: Any) -> RuleImpact:
    """Note that the draft as it is now is to be measured; beat finds it within ten seconds."""
    return RuleImpact.objects.create(rules=msgspec.to_builtins(draft.read()), asked_by=by)


def run_waiting() -> int:
    """Measure what waits; return how many."""
    measured = 0
    while (job := _claim()) is not None:
        _run(job)
        measured += 1
    return measured


def _claim() -> RuleImpact | None:
    silent = Q(state=RuleImpact.State.RUNNING, heard_at__lt=timezone.now() - timedelta(seconds=SILENT_SECONDS))
    error = f"Its worker died {ATTEMPTS_AT_MOST} times; its log, or the machine's, says of what."
    given_up = RuleImpact.objects.filter(silent, attempts__gte=ATTEMPTS_AT_MOST)
    for pk in given_up.values_list("pk", flat=True):
        logger.error("impact %d is given up after %d attempts", pk, ATTEMPTS_AT_MOST)
    given_up.update(state=RuleImpact.State.FAILED, error=error)
    with transaction.atomic():
        waits = Q(state=RuleImpact.State.WAITING) | silent
        job = RuleImpact.objects.select_for_update(skip_locked=True).filter(waits).order_by("pk").first()
        if job is not None:
            job.state, job.heard_at, job.attempts = RuleImpact.State.RUNNING, timezone.now(), job.attempts + 1
            job.save(update_fields=["state", "heard_at", "attempts"])
        return job


def _run(job: RuleImpact) -> None:
    mine = RuleImpact.objects.filter(pk=job.pk)

    def tell(done: int, total: int) -> None:
        if done % TOLD_EVERY == 0 or done == total:
            mine.update(done=done, total=total, heard_at=timezone.now())

    try:
        found = impact.measure(msgspec.convert(job.rules, list[RuleSpec], strict=False), seed=job.pk, tell=tell)
    # Whatever it is, the editor who asked must be told, and the next one's turn come.
    except Exception as error:
        logger.exception("impact %d", job.pk)
        mine.update(state=RuleImpact.State.FAILED, error=f"{type(error).__name__}: {error}")
    else:
        mine.update(state=RuleImpact.State.DONE, result=msgspec.to_builtins(found), heard_at=timezone.now())
