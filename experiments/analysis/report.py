"""What an experiment says, put together: split first, then effects, then one sentence.

The effects stay hidden while the split is broken: nothing computed from unequal losses can be believed. The verdict of
a running experiment rests on always-valid intervals, so that looking early does no harm; the fixed-horizon test decides
only when the experiment declared its users beforehand, got them, and has been stopped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from experiments.analysis import aggregation
from experiments.analysis.aggregation import Measured, Scope
from experiments.analysis.comparison import compare_family
from experiments.analysis.findings import Arm, ArmValue, Look, MetricResult, Report, SampleRatio, Segment
from experiments.analysis.looks import looks_at
from experiments.analysis.measure import measure_of, tuned_for
from experiments.analysis.multiple_testing import benjamini_hochberg, holm
from experiments.analysis.power import users_for_mean
from experiments.analysis.segments import segments_of, split_by
from experiments.analysis.srm import SRM_ALPHA, SRM_MINIMUM_USERS, sample_ratio_p
from experiments.analysis.verdict import tell
from experiments.exceptions import UnknownExperiment
from experiments.models import Experiment, Metric, Phase

MULTIPLE_SHARE = 0.01
"""Share of users exposed to two variants above which the report warns (GrowthBook's)."""


def report(experiment_id: str, phase: int | None = None) -> Report:
    """Analyse the current phase of an experiment, or an earlier one. One query a metric and a few small ones.

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
    arms = _arms(record.weights, counts.users)
    ratio = _sample_ratio(arms)
    is_final = _is_final(experiment.planned_users, record.ended_at, arms)
    metrics: tuple[MetricResult, ...] = ()
    needed: int | None = None
    looks: tuple[Look, ...] = ()
    segments: tuple[Segment, ...] = ()
    if not ratio.is_broken:
        guardrails = experiment.guardrails.exclude(pk=experiment.primary_metric.pk)
        measured = _measured([experiment.primary_metric], experiment, scope, arms)
        metrics = _results([experiment.primary_metric], measured, experiment, arms, is_final)
        metrics += _results(
            list(guardrails), _measured(list(guardrails), experiment, scope, arms), experiment, arms, is_final
        )
        needed = _users_needed(experiment, measured[0], arms)
        looks = looks_at(experiment, scope, arms)
        segments = segments_of(experiment, scope, arms)
    decision, sentence = tell(arms=arms, ratio=ratio, metrics=metrics, alpha=experiment.alpha, is_final=is_final)
    return Report(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        status=experiment.status,
        phase=record.number,
        started_at=record.started_at,
        ended_at=record.ended_at,
        generated_at=timezone.now(),
        alpha=experiment.alpha,
        planned_users=experiment.planned_users,
        is_final=is_final,
        decision=decision,
        verdict=sentence,
        sample_ratio=ratio,
        arms=arms,
        multiple_users=counts.multiple,
        warnings=_warnings(counts, arms),
        metrics=metrics,
        users_needed=needed,
        looks=looks,
        segments=segments,
        split_by=split_by(scope, arms) if ratio.is_broken else (),
    )


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
    if experiment.minimum_effect is None or not control.mean or control.variance <= 0:
        return None
    difference = experiment.minimum_effect * control.mean
    return math.ceil(users_for_mean(math.sqrt(control.variance), difference, alpha=experiment.alpha))


def _warnings(counts: aggregation.ExposureCounts, arms: Sequence[Arm]) -> tuple[str, ...]:
    found = []
    users = sum(counts.users.values()) + counts.multiple
    if users and counts.multiple / users > MULTIPLE_SHARE:
        found.append(
            f"{counts.multiple} of {users} users ({counts.multiple / users:.1%}) saw more than one variant; "
            "they are left out. Their ids may have changed between visits."
        )
    known = {arm.variant for arm in arms}
    strangers = sorted(set(counts.users) - known)
    found += [f"{counts.users[name]} users were exposed to {name!r}, which was no variant then." for name in strangers]
    return tuple(found)
