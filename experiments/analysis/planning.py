"""How many users an experiment needs and how long they take to come, by what its placement has seen lately."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from experiments.analysis.measure import measure_of
from experiments.analysis.power import days_needed, users_for
from experiments.analysis.sample import Sample
from experiments.models import Experiment, Metric
from experiments.targeting import words

logger = logging.getLogger(__name__)

DAYS = 14
"""Looked back."""
TIMEOUT_MS = 3_000
"""Somebody is waiting for a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What finding the declared effect with a power of 0.8 takes."""

    baseline: float
    """The primary metric's value a user lately."""
    users_a_variant: int
    users_a_day: float
    """Different users of its placements a day lately, whom the experiment is for or not."""
    days: int
    """Until every variant has its users, were each of them new; longer where the same ones come again."""


def plan(experiment: Experiment) -> Plan | None:
    """Return what the experiment takes (one query); None where no effect is declared or nothing is known to go by.

    Ratios and metrics of events that follow no list are not planned, nor is what cannot be counted in TIMEOUT_MS.
    """
    metric = experiment.primary_metric
    if experiment.minimum_effect is None or metric.kind == Metric.Kind.RATIO or not metric.attributed_only:
        return None
    try:
        users, sample = _lately(experiment, timezone.now())
    except OperationalError as error:
        logger.warning("experiment %s: not planned, %s", experiment.experiment_id, error)
        return None
    needed = users_for(sample, experiment.minimum_effect, alpha=experiment.alpha)
    if needed is None:
        return None
    arms = sum(variant.weight > 0 for variant in experiment.variants.all())
    users_a_day = users / DAYS
    return Plan(
        baseline=sample.mean,
        users_a_variant=math.ceil(needed),
        users_a_day=users_a_day,
        days=days_needed(needed, max(arms, 2), users_a_day, experiment.coverage),
    )


def _lately(experiment: Experiment, now: datetime) -> tuple[int, Sample]:
    """Return the different users of the placements within DAYS, and the metric over them."""
    measure = measure_of(experiment.primary_metric)
    placements = sorted(words(experiment.placement))
    value = "1.0" if measure.is_proportion else "sum(coalesce(event.value, 1))"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")
        cursor.execute(
            f"""
            WITH shown AS (
                SELECT request_id, user_id FROM interactions_impression
                WHERE shown_at >= %(since)s AND position = 0 AND user_id <> ''
                  AND (placement = ANY(%(placements)s) OR cardinality(%(placements)s::text[]) = 0)
            ),
            happened AS (
                SELECT shown.user_id, {value} AS y
                FROM shown JOIN interactions_event event ON event.request_id = shown.request_id
                WHERE event.occurred_at >= %(since)s
                  AND event.event_type_id = (SELECT id FROM interactions_eventtype WHERE name = %(event_type)s)
                GROUP BY shown.user_id
            )
            SELECT (SELECT count(DISTINCT user_id) FROM shown), coalesce(sum(y), 0), coalesce(sum(y * y), 0)
            FROM happened
            """,  # noqa: S608 -- only literals of this module are put together
            {"since": now - timedelta(days=DAYS), "placements": placements, "event_type": measure.event_type},
        )
        users, total, squares = cursor.fetchone()
        cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    sample = Sample(n=int(users), total=float(total), total_squares=float(squares), is_proportion=measure.is_proportion)
    return int(users), sample
