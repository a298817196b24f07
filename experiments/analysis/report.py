"""What an experiment says, put together: split first, then effects, then one sentence.

The effects stay hidden while the split is broken: nothing computed from unequal losses can be believed. The verdict of
a running experiment rests on always-valid intervals, so that looking early does no harm; the fixed-horizon test decides
only when the experiment declared its users beforehand, got them, and has been stopped.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from experiments.analysis import aggregation
from experiments.analysis.aggregation import Measured, Scope
from experiments.analysis.comparison import compare_family
from experiments.analysis.credits import preferences
from experiments.analysis.findings import Arm, ArmValue, MetricResult, Report, SampleRatio
from experiments.analysis.looks import looks_at
from experiments.analysis.measure import measure_of, tuned_for
from experiments.analysis.multiple_testing import benjamini_hochberg, holm
from experiments.analysis.power import users_for
from experiments.analysis.segments import segments_of, split_by
from experiments.analysis.sequential import TUNED_FOR
from experiments.analysis.srm import SRM_ALPHA, SRM_MINIMUM_USERS, sample_ratio_p
from experiments.analysis.verdict import tell, tell_preference
from experiments.assignment import INTERLEAVED
from experiments.exceptions import UnknownExperiment
from experiments.models import Experiment, Metric, Phase

NOT_SPLIT = SampleRatio(p=1.0, is_broken=False, is_testable=False)
"""Of mixed lists, which everybody sees."""

MULTIPLE_SHARE = 0.01
"""Share of users exposed to two variants above which the report warns (GrowthBook's)."""


def report(experiment_id: str, phase: int | None = None) -> Report:
    """Analyse the current phase of an experiment, or an earlier one: one query a metric, one for days, one for
    countries, and a few small ones.

    Raises
    ------
    UnknownExperiment
        No such experiment, or the phase has never begun (a draft has none).
    """
    record = _phase(experiment_id, phase)
    experiment = record.experiment
    scope = aggregation.Scope(
        experiment_pk=experiment.pk,
        experiment_id=experiment.experiment_id,
        phase=record.number,
        since=record.started_at,
        until=record.ended_at,
    )
    counts = aggregation.exposure_counts(scope)
    is_mixed = experiment.kind == Experiment.Kind.INTERLEAVING
    arms = _mixed_arms(record.weights, counts.users) if is_mixed else _arms(record.weights, counts.users)
    found = Report(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        kind=experiment.kind,
        status=experiment.status,
        phase=record.number,
        started_at=record.started_at,
        ended_at=record.ended_at,
        generated_at=timezone.now(),
        alpha=experiment.alpha,
        planned_users=experiment.planned_users,
        is_final=not is_mixed and _is_final(experiment.planned_users, record.ended_at, arms),
        decision="too_early",
        verdict="",
        sample_ratio=NOT_SPLIT if is_mixed else _sample_ratio(arms),
        arms=arms,
        multiple_users=counts.multiple,
        warnings=_warnings(counts, {INTERLEAVED} if is_mixed else {arm.variant for arm in arms}),
    )
    if is_mixed:
        found = _with_preferences(found, experiment, scope)
        decision, sentence = tell_preference(found, higher_is_better=experiment.primary_metric.higher_is_better)
    else:
        metrics = [experiment.primary_metric, *experiment.guardrails.exclude(pk=experiment.primary_metric.pk)]
        with aggregation.gathered(scope, lists=any(metric.attributed_only for metric in metrics)):
            found = _with_effects(found, experiment, scope, metrics)
        decision, sentence = tell(
            arms=arms, ratio=found.sample_ratio, metrics=found.metrics, alpha=found.alpha, is_final=found.is_final
        )
    return replace(found, decision=decision, verdict=sentence)


def _with_effects(found: Report, experiment: Experiment, scope: Scope, declared: list[Metric]) -> Report:
    arms = found.arms
    if found.sample_ratio.is_broken:
        return replace(found, split_by=split_by(scope, arms))
    metrics: tuple[MetricResult, ...] = ()
    needed: int | None = None
    for family in (declared[:1], declared[1:]):
        measured = _measured(family, experiment, scope, arms)
        metrics += _results(family, measured, experiment, arms, found.is_final)
        if family == declared[:1]:
            needed = _users_needed(experiment, measured[0], arms)
    return replace(
        found,
        metrics=metrics,
        users_needed=needed,
        looks=looks_at(experiment, scope, arms),
        segments=segments_of(experiment, scope, arms),
    )


def _with_preferences(found: Report, experiment: Experiment, scope: Scope) -> Report:
    names = [arm.variant for arm in found.arms if arm.weight > 0]
    preferred = preferences(
        scope,
        measure_of(experiment.primary_metric),
        names,
        alpha=experiment.alpha / (len(names) - 1),
        tuned_for=experiment.planned_users or TUNED_FOR,
    )
    return replace(found, preferences=preferred)


def _phase(experiment_id: str, number: int | None) -> Phase:
    phases = Phase.objects.filter(experiment__experiment_id=experiment_id).select_related("experiment__primary_metric")
    found = (phases if number is None else phases.filter(number=number)).order_by("number").last()
    if found is None:
        is_known = Experiment.objects.filter(experiment_id=experiment_id).exists()
        raise UnknownExperiment(experiment_id, (number or 1) if is_known else None)
    return found


def _arms(weights: list[tuple[str, float]], users: Mapping[str, int]) -> tuple[Arm, ...]:
    total_weight = sum(weight for _, weight in weights)
    total_users = sum(users.get(name, 0) for name, weight in weights if weight > 0)
    return tuple(
        Arm(
            variant=name,
            weight=weight / total_weight,
            users=users.get(name, 0),
            expected_users=total_users * weight / total_weight,
        )
        for name, weight in weights
    )


def _mixed_arms(weights: list[tuple[str, float]], users: Mapping[str, int]) -> tuple[Arm, ...]:
    """Return the variants of mixed lists: every user has seen all that take part."""
    exposed = users.get(INTERLEAVED, 0)
    playing = sum(weight > 0 for _, weight in weights)
    return tuple(
        Arm(
            variant=name,
            weight=1 / playing if weight > 0 else 0.0,
            users=exposed if weight > 0 else 0,
            expected_users=exposed if weight > 0 else 0,
        )
        for name, weight in weights
    )


def _sample_ratio(arms: tuple[Arm, ...]) -> SampleRatio:
    p = sample_ratio_p([arm.users for arm in arms], [arm.weight for arm in arms])
    testable = all(arm.expected_users >= SRM_MINIMUM_USERS for arm in arms if arm.weight > 0)
    return SampleRatio(p=p, is_testable=testable, is_broken=testable and p < SRM_ALPHA)


def _is_final(planned_users: int | None, ended_at: datetime | None, arms: tuple[Arm, ...]) -> bool:
    if planned_users is None or ended_at is None:
        return False
    return all(arm.users >= planned_users for arm in arms if arm.weight > 0)


def _measured(
    metrics: Sequence[Metric], experiment: Experiment, scope: Scope, arms: Sequence[Arm]
) -> list[dict[str, Measured]]:
    users = {arm.variant: arm.users for arm in arms}
    return [aggregation.samples(scope, users, measure_of(metric, experiment.lookback_days)) for metric in metrics]


def _results(
    metrics: Sequence[Metric],
    measured: Sequence[dict[str, Measured]],
    experiment: Experiment,
    arms: Sequence[Arm],
    is_final: bool,
) -> tuple[MetricResult, ...]:
    """Compare a family of metrics; its p-values are corrected together. Paused arms have a value, no comparison."""
    taking_part = [arm.variant for arm in arms if arm.weight > 0]
    compared = compare_family(
        [{variant: of_metric[variant] for variant in taking_part} for of_metric in measured],
        alpha=experiment.alpha,
        tuned_for=tuned_for(experiment, arms),
        is_final=is_final,
        correct=holm if experiment.correction == Experiment.Correction.HOLM else benjamini_hochberg,
    )
    return tuple(
        MetricResult(
            name=metric.name,
            kind=metric.kind,
            is_primary=metric.pk == experiment.primary_metric.pk,
            higher_is_better=metric.higher_is_better,
            arms=tuple(
                ArmValue(variant=name, users=values.sample.n, mean=values.sample.mean)
                for name, values in of_metric.items()
            ),
            comparisons=comparisons,
        )
        for metric, of_metric, comparisons in zip(metrics, measured, compared, strict=True)
    )


def _users_needed(experiment: Experiment, measured: Mapping[str, Measured], arms: Sequence[Arm]) -> int | None:
    control = measured[next(arm.variant for arm in arms if arm.weight > 0)].sample
    needed = experiment.minimum_effect and users_for(control, experiment.minimum_effect, alpha=experiment.alpha)
    return math.ceil(needed) if needed else None


def _warnings(counts: aggregation.ExposureCounts, known: Collection[str]) -> tuple[str, ...]:
    found = []
    users = sum(counts.users.values()) + counts.multiple
    if users and counts.multiple / users > MULTIPLE_SHARE:
        found.append(
            f"{counts.multiple} of {users} users ({counts.multiple / users:.1%}) saw more than one variant; "
            "they are left out. Their ids may have changed between visits."
        )
    strangers = sorted(set(counts.users) - set(known))
    found += [f"{counts.users[name]} users were exposed to {name!r}, which was no variant then." for name in strangers]
    return tuple(found)
