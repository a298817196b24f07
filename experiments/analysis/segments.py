"""Where an effect, or a mismatch of the split, sits."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.analysis.aggregation import Scope
from experiments.analysis.breakdown import DIMENSIONS, samples_by_country, users_by
from experiments.analysis.comparison import compare_family
from experiments.analysis.findings import Arm, ArmValue, Segment, SplitOf
from experiments.analysis.measure import measure_of, tuned_for
from experiments.analysis.srm import sample_ratio_p
from experiments.models import Experiment

MOST = 5
"""Countries: with more, one of them is always remarkable."""
MOST_SPLITS = 12


def segments_of(experiment: Experiment, scope: Scope, arms: Sequence[Arm]) -> tuple[Segment, ...]:
    """Return the primary metric by country, for those in which every arm has users."""
    names = [arm.variant for arm in arms if arm.weight > 0]
    countries = samples_by_country(scope, measure_of(experiment.primary_metric), names, MOST)
    complete = {country: of for country, of in countries.items() if set(of) == set(names)}
    ordered = sorted(complete, key=lambda country: -sum(one.sample.n for one in complete[country].values()))
    compared = compare_family(
        [{name: complete[country][name] for name in names} for country in ordered],
        alpha=experiment.alpha,
        tuned_for=tuned_for(experiment, arms),
        is_final=False,
    )
    return tuple(
        Segment(
            country=country,
            arms=tuple(
                ArmValue(variant=name, users=complete[country][name].sample.n, mean=complete[country][name].sample.mean)
                for name in names
            ),
            comparisons=comparisons,
        )
        for country, comparisons in zip(ordered, compared, strict=True)
    )


def split_by(scope: Scope, arms: Sequence[Arm]) -> tuple[SplitOf, ...]:
    """Return the split within each country, device and version of the app, the least probable first."""
    weights = {arm.variant: arm.weight for arm in arms}
    found = [
        SplitOf(
            dimension=dimension,
            value=value,
            users={name: users.get(name, 0) for name in weights},
            p=sample_ratio_p([users.get(name, 0) for name in weights], list(weights.values())),
        )
        for dimension in DIMENSIONS
        for value, users in users_by(dimension, scope).items()
    ]
    return tuple(sorted(found, key=lambda one: one.p)[:MOST_SPLITS])
