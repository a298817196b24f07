"""Whose places people choose from lists that mix several variants (`experiments.interleaving`).

Each user has a credit for each variant: the places of its team that an event of the primary metric came from, each
place once. Sums over users are made in SQL; the user is the unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import stdtr

from experiments.analysis.aggregation import Measure, Scope, read
from experiments.analysis.findings import Preference
from experiments.analysis.sequential import half_width
from experiments.interleaving import sign_test

_PREFERENCES = """
    WITH credits AS (
        SELECT shown.user_id, shown.variant, count(DISTINCT (shown.request_id, shown.position)) AS credit
        FROM interactions_event event
        JOIN interactions_impression shown
          ON shown.request_id = event.request_id AND shown.item_id = event.item_id
        JOIN interactions_userprofile profile ON profile.id = event.user_id AND profile.user_id = shown.user_id
        WHERE shown.experiment_id = %(experiment_id)s AND shown.phase = %(phase)s
          AND shown.shown_at >= %(since)s::timestamptz - %(tolerance)s::interval
          AND event.occurred_at >= %(since)s::timestamptz - %(tolerance)s::interval
          AND event.occurred_at < coalesce(%(until)s::timestamptz, 'infinity')
          AND event.event_type_id = (SELECT id FROM interactions_eventtype WHERE name = %(event_type)s)
        GROUP BY shown.user_id, shown.variant
    ),
    paired AS (
        SELECT user_id, other.variant AS variant,
               coalesce(sum(credit) FILTER (WHERE credits.variant = %(control)s), 0)::float8 AS first,
               coalesce(sum(credit) FILTER (WHERE credits.variant = other.variant), 0)::float8 AS second
        FROM credits CROSS JOIN unnest(%(others)s::text[]) AS other (variant)
        GROUP BY user_id, other.variant
    )
    SELECT variant, count(*) FILTER (WHERE first > second), count(*) FILTER (WHERE second > first),
           count(*) FILTER (WHERE first = second AND first > 0),
           coalesce(sum((second - first) / nullif(first + second, 0)), 0),
           coalesce(sum(((second - first) / nullif(first + second, 0)) ^ 2), 0)
    FROM paired GROUP BY variant
"""


def preferences(
    scope: Scope, measure: Measure, variants: Sequence[str], *, alpha: float, tuned_for: float
) -> tuple[Preference, ...]:
    """Compare each variant with the first one by the users' credits (one query)."""
    control, *others = variants
    rows = {
        str(variant): values for variant, *values in read(_PREFERENCES, scope, measure, control=control, others=others)
    }
    return tuple(_preference(one, rows.get(one, [0, 0, 0, 0.0, 0.0]), alpha, tuned_for) for one in others)


def _preference(variant: str, sums: Sequence[float], alpha: float, tuned_for: float) -> Preference:
    first, second, ties = (int(value) for value in sums[:3])
    total, squares = float(sums[3]), float(sums[4])
    n = first + second + ties
    mean = total / n if n else 0.0
    variance = max(squares - n * mean * mean, 0.0) / (n - 1) if n > 1 else 0.0
    margin = half_width(n, math.sqrt(variance), alpha, tuned_for) if variance else math.inf
    t = mean / math.sqrt(variance / n) if variance else 0.0
    decided = first + second
    return Preference(
        variant=variant,
        users_for_control=first,
        users_for_variant=second,
        ties=ties,
        share=second / decided if decided else 0.5,
        lead=mean,
        low=max(mean - margin, -1.0),
        high=min(mean + margin, 1.0),
        p_sign=sign_test(first, second),
        p_t=2 * float(stdtr(n - 1, -abs(t))) if variance else 1.0,
    )
