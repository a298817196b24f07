"""How the effect on the primary metric came to be, day by day, with intervals that hold for all days together."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analysis.aggregation import Scope
from experiments.analysis.breakdown import day_by_day
from experiments.analysis.findings import Arm, Look
from experiments.analysis.measure import measure_of, tuned_for
from experiments.analysis.sample import Sample
from experiments.analysis.sequential import always_valid
from experiments.models import Experiment, Metric


def looks_at(experiment: Experiment, scope: Scope, arms: Sequence[Arm]) -> tuple[Look, ...]:
    """Return what was known at the end of each day on which anything was added; nothing for a ratio.

    Not adjusted by what was before exposure: the last look may differ from the report where that is asked for.
    """
    metric = experiment.primary_metric
    if metric.kind == Metric.Kind.RATIO:
        return ()
    measure = measure_of(metric)
    sums = {arm.variant: [0, 0.0, 0.0] for arm in arms if arm.weight > 0}
    found: dict[object, Look] = {}
    for added in day_by_day(scope, measure):
        if added.variant not in sums:
            continue
        of_arm = sums[added.variant]
        of_arm[0] += added.users
        of_arm[1] += added.total
        of_arm[2] += added.squares
        control, *treatments = (
            Sample(n=int(n), total=total, total_squares=squares, is_proportion=measure.is_proportion)
            for n, total, squares in sums.values()
        )
        effects = [
            always_valid(control, one, relative=False, alpha=experiment.alpha, tuned_for=tuned_for(experiment, arms))
            for one in treatments
        ]
        found[added.day] = Look(
            day=added.day,
            users={variant: int(n) for variant, (n, _, _) in sums.items()},
            effects=dict(zip(list(sums)[1:], effects, strict=True)),
        )
    return tuple(found.values())
