"""What an experiment's declaration means for its sums and intervals."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analysis.aggregation import Measure
from experiments.analysis.findings import Arm
from experiments.analysis.sequential import TUNED_FOR
from experiments.models import Experiment, Metric


def measure_of(metric: Metric, lookback_days: int | None = None) -> Measure:
    """Return what is to be summed up for a metric; a ratio is not adjusted by what was before."""
    is_ratio = metric.kind == Metric.Kind.RATIO
    return Measure(
        event_type=metric.event_type,
        per_event_type=metric.per_event_type if is_ratio else "",
        is_proportion=metric.kind == Metric.Kind.PROPORTION,
        attributed_only=metric.attributed_only,
        lookback_days=0 if is_ratio else lookback_days or 0,
    )


def tuned_for(experiment: Experiment, arms: Sequence[Arm]) -> float:
    """Return the users at which always-valid intervals are to be narrowest: all that were planned."""
    taking_part = sum(arm.weight > 0 for arm in arms)
    return experiment.planned_users * taking_part if experiment.planned_users else TUNED_FOR
