"""The verbs that change an experiment. Admin, demo and commands go through them; a refusal changes nothing.

draft → `start` → running → `stop` → stopped. A start and every change of assignment that would move users begins a
phase of its own: other hash seed, own exposures, own analysis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from experiments import configurations
from experiments.analysis.aggregation import event_type_names
from experiments.exceptions import ExperimentRefused, UnknownExperiment
from experiments.models import Experiment, Metric, Phase
from experiments.targeting import overlap, words


def problems(experiment: Experiment) -> list[str]:
    """Return what forbids the experiment's start, one sentence each; empty when nothing does."""
    variants = list(experiment.variants.all())
    found = _weight_problems({variant.name: variant.weight for variant in variants})
    found += [
        f"The configuration of variant {variant.name!r}: {problem}"
        for variant in variants
        for problem in configurations.problems(variant.configuration)
    ]
    if not 0 < experiment.coverage <= 1:
        found.append(f"The coverage must be above 0 and at most 1, not {experiment.coverage}.")
    if not 0 < experiment.alpha < 1:
        found.append(f"Alpha must lie between 0 and 1, not {experiment.alpha}.")
    found += _layer_problems(experiment)
    known = event_type_names()
    for metric in (experiment.primary_metric, *experiment.guardrails.all()):
        counted = [metric.event_type, *([metric.per_event_type] if metric.kind == Metric.Kind.RATIO else [])]
        found += [
            f"Metric {metric.name!r} counts events of type {name!r}; known are {', '.join(known)}."
            for name in counted
            if name not in known
        ]
    return found


def _layer_problems(experiment: Experiment) -> list[str]:
    start, end = experiment.layer_start, experiment.layer_end
    if not experiment.layer:
        return []
    if not 0 <= start < end <= 1:
        return [f"Its part of the layer must lie within 0 to 1 and not be empty, not {start} to {end}."]
    others = Experiment.objects.filter(
        status=Experiment.Status.RUNNING, layer=experiment.layer, layer_start__lt=end, layer_end__gt=start
    ).exclude(pk=experiment.pk)
    return [
        f"{other.experiment_id!r} has {other.layer_start} to {other.layer_end} of the layer {experiment.layer!r}."
        for other in others
    ]


def warnings(experiment: Experiment) -> list[str]:
    """Return what deserves a second look before the start, one sentence each."""
    found = [
        f"{other.experiment_id!r} already runs in the same placement: "
        "a list takes part in one experiment only, the one created first."
        for other in Experiment.objects.filter(status=Experiment.Status.RUNNING).exclude(pk=experiment.pk)
        if _may_meet(experiment, other)
    ]
    configurations = [variant.configuration for variant in experiment.variants.all()]
    if configurations and all(configuration == configurations[0] for configuration in configurations):
        found.append("All variants have the same configuration: this is an A/A test.")
    return found


def _may_meet(one: Experiment, other: Experiment) -> bool:
    """Return whether a list could be in both experiments, were they not taken one after the other."""
    if one.layer and one.layer == other.layer:
        return False
    names = ("placement", "countries", "segments")
    return all(overlap(words(getattr(one, name)), words(getattr(other, name))) for name in names)


def start(experiment_id: str) -> list[str]:
    """Start a draft, or start a stopped experiment again in a new phase. Returns `warnings`.

    Raises
    ------
    UnknownExperiment
    ExperimentRefused
        It runs already, or `problems` found some.
    """
    with transaction.atomic():
        experiment = _locked(experiment_id)
        if experiment.status == Experiment.Status.RUNNING:
            raise ExperimentRefused(experiment_id, ["It is running already."])
        found = problems(experiment)
        if found:
            raise ExperimentRefused(experiment_id, found)
        if experiment.status == Experiment.Status.STOPPED:
            experiment.phase += 1
        experiment.status = Experiment.Status.RUNNING
        experiment.started_at = timezone.now()
        experiment.stopped_at = None
        experiment.save()
        _begin_phase(experiment)
        return warnings(experiment)


def stop(experiment_id: str) -> None:
    """Stop a running experiment for everybody; its report stays.

    Raises
    ------
    UnknownExperiment
    ExperimentRefused
        It is not running.
    """
    with transaction.atomic():
        experiment = _locked(experiment_id)
        if experiment.status != Experiment.Status.RUNNING:
            raise ExperimentRefused(
                experiment_id, [f"Only a running experiment can be stopped; it is {experiment.status}."]
            )
        experiment.status = Experiment.Status.STOPPED
        experiment.stopped_at = timezone.now()
        experiment.save()
        _end_phase(experiment)


def change_weights(experiment_id: str, weights: Mapping[str, float]) -> int:
    """Give the variants other weights. Returns the phase now in force.

    In a draft the weights just change. In a running experiment a new phase begins: all users are assigned afresh and
    counted from zero. Weights that change nothing begin no phase.

    Raises
    ------
    UnknownExperiment
    ExperimentRefused
        It is stopped, a variant is missing or unknown, a weight is not a number of 0 or more, or fewer than
        two are above 0.
    """
    with transaction.atomic():
        experiment = _locked(experiment_id)
        variants = {variant.name: variant for variant in experiment.variants.all()}
        found = _weight_problems(weights)
        if set(weights) != set(variants):
            found.append(f"Give a weight to each of {', '.join(variants)}; got {', '.join(weights) or 'none'}.")
        if experiment.status == Experiment.Status.STOPPED:
            found.append("It is stopped.")
        if found:
            raise ExperimentRefused(experiment_id, found)
        changed = [variant for name, variant in variants.items() if variant.weight != weights[name]]
        for variant in changed:
            variant.weight = weights[variant.name]
            variant.save()
        if changed and experiment.status == Experiment.Status.RUNNING:
            _next_phase(experiment)
        return experiment.phase


def change_coverage(experiment_id: str, coverage: float) -> int:
    """Let another share of users take part. Returns the phase now in force.

    More coverage only adds users, so the phase goes on; less would drop users who were exposed, so a new phase begins.

    Raises
    ------
    UnknownExperiment
    ExperimentRefused
        It is stopped, or the coverage is not above 0 and at most 1.
    """
    with transaction.atomic():
        experiment = _locked(experiment_id)
        found = [] if 0 < coverage <= 1 else [f"The coverage must be above 0 and at most 1, not {coverage}."]
        if experiment.status == Experiment.Status.STOPPED:
            found.append("It is stopped.")
        if found:
            raise ExperimentRefused(experiment_id, found)
        lowered = coverage < experiment.coverage
        experiment.coverage = coverage
        experiment.save()
        if lowered and experiment.status == Experiment.Status.RUNNING:
            _next_phase(experiment)
        return experiment.phase


def _locked(experiment_id: str) -> Experiment:
    try:
        experiment: Experiment = Experiment.objects.select_for_update(of=("self",)).get(experiment_id=experiment_id)
    except Experiment.DoesNotExist:
        raise UnknownExperiment(experiment_id) from None
    return experiment


def _weight_problems(weights: Mapping[str, float]) -> list[str]:
    found = []
    if len(weights) < 2:
        found.append(f"It needs at least two variants, not {len(weights)}.")
    wrong = {name: weight for name, weight in weights.items() if not (math.isfinite(weight) and weight >= 0)}
    found += [f"The weight of {name!r} must be a number of 0 or more, not {weight}." for name, weight in wrong.items()]
    if not wrong and len(weights) >= 2 and sum(weight > 0 for weight in weights.values()) < 2:
        found.append("At least two variants need a weight above 0.")
    return found


def _next_phase(experiment: Experiment) -> None:
    _end_phase(experiment)
    experiment.phase += 1
    experiment.save()
    _begin_phase(experiment)


def _begin_phase(experiment: Experiment) -> None:
    Phase.objects.create(
        experiment=experiment,
        number=experiment.phase,
        weights=[[name, weight] for name, weight in experiment.variants.values_list("name", "weight")],
        started_at=timezone.now(),
    )


def _end_phase(experiment: Experiment) -> None:
    Phase.objects.filter(experiment=experiment, number=experiment.phase).update(ended_at=timezone.now())
