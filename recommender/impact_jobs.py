"""Measurements of what rules would change, asked for in admin and done by a worker, one after the other."""

from __future__ import annotations

from typing import Any

import msgspec

from catalog import waiting_jobs
from catalog.waiting_jobs import Tell
from recommender import impact
from recommender.impact import Impact
from recommender.models import RuleImpact
from recommender.rules import draft
from recommender.rules.vocabulary import RuleSpec

TASK = "recommender.tasks.measure_impacts"


def ask(by: Any) -> RuleImpact:
    """Note that the draft as it is now is to be measured; beat finds it within ten seconds."""
    return RuleImpact.objects.create(rules=msgspec.to_builtins(draft.read()), asked_by=by)


def run_waiting() -> int:
    """Measure what waits; return how many."""
    return waiting_jobs.run_waiting(RuleImpact, _measure)


def _measure(job: RuleImpact, tell: Tell) -> Impact:
    return impact.measure(msgspec.convert(job.rules, list[RuleSpec], strict=False), seed=job.pk, tell=tell)
