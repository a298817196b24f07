from __future__ import annotations

import math
from typing import Any

import pytest

from catalog import revisions
from experiments import lifecycle, queries
from experiments.assignment import assign
from experiments.exceptions import ExperimentRefused, UnknownExperiment
from experiments.models import Experiment, Metric, Phase, Variant


def state(experiment: Experiment) -> Any:
    """Return everything a verb may change."""
    return (
        Experiment.objects.values().get(pk=experiment.pk),
        list(Variant.objects.values_list("name", "weight")),
        list(Phase.objects.values()),
        revisions.from_database()[revisions.EXPERIMENTS],
    )


def test_a_start_runs_the_first_phase_with_its_weights(draft: Experiment) -> None:
    assert lifecycle.start("varied") == []
    draft.refresh_from_db()
    assert (draft.status, draft.phase, draft.stopped_at) == ("running", 1, None)
    assert draft.started_at is not None
    phase = draft.phases.get()
    assert (phase.number, phase.weights, phase.ended_at) == (1, [["control", 1.0], ["diverse", 1.0]], None)


def test_a_running_experiment_is_not_started_again(running: Experiment) -> None:
    before = state(running)
    with pytest.raises(ExperimentRefused, match="It is running already"):
        lifecycle.start("varied")
    assert state(running) == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda draft: draft.variants.filter(name="diverse").delete(), "It needs at least two variants, not 1."),
        (lambda draft: draft.variants.all().delete(), "It needs at least two variants, not 0."),
        (lambda draft: draft.variants.update(weight=0), "At least two variants need a weight above 0."),
        (
            lambda draft: draft.variants.filter(name="diverse").update(weight=-1),
            "The weight of 'diverse' must be a number of 0 or more, not -1.0.",
        ),
        (
            lambda draft: draft.variants.filter(name="diverse").update(weight=math.nan),
            "The weight of 'diverse' must be a number of 0 or more, not nan.",
        ),
        (
            lambda draft: draft.variants.filter(name="diverse").update(configuration=["diverse"]),
            "The configuration of variant 'diverse': It must be an object, not ['diverse'].",
        ),
        (lambda draft: Experiment.objects.update(coverage=0), "The coverage must be above 0 and at most 1, not 0.0."),
        (lambda draft: Experiment.objects.update(alpha=1), "Alpha must lie between 0 and 1, not 1.0."),
        (
            lambda draft: Metric.objects.update(event_type="wotch"),
            (
                "Metric 'watch-through' counts events of type 'wotch'; known are add_to_list, already_seen, click, "
                "impression, like, not_interested, purchase, rating, view, watch."
            ),
        ),
    ],
)
def test_a_start_is_refused_with_the_reason(draft: Experiment, change: Any, reason: str) -> None:
    change(draft)
    before = state(draft)
    with pytest.raises(ExperimentRefused) as refusal:
        lifecycle.start("varied")
    assert refusal.value.reasons == (reason,)
    assert str(refusal.value) == f"Experiment 'varied': {reason}"
    assert str(state(draft)) == str(before)  # as text: nan is not equal to itself


def test_all_reasons_are_given_at_once(draft: Experiment) -> None:
    Experiment.objects.update(coverage=2)
    draft.variants.all().delete()
    with pytest.raises(ExperimentRefused) as refusal:
        lifecycle.start("varied")
    assert len(refusal.value.reasons) == 2


def test_another_experiment_in_the_placement_is_a_warning(running: Experiment, metric: Metric) -> None:
    for experiment_id, placement, warned in (("other", "homepage", 1), ("all", "", 2), ("apart", "product_page", 1)):
        experiment = Experiment.objects.create(
            experiment_id=experiment_id, name=experiment_id, placement=placement, primary_metric=metric
        )
        for name in ("a", "b"):
            Variant.objects.create(experiment=experiment, name=name, configuration={"recipe": name})
        warnings = lifecycle.start(experiment_id)
        assert len(warnings) == warned, experiment_id
        assert all("already runs in the same placement" in warning for warning in warnings)


def test_equal_configurations_are_a_warning(draft: Experiment) -> None:
    draft.variants.update(configuration={})
    assert lifecycle.start("varied") == ["All variants have the same configuration: this is an A/A test."]


def test_a_stop_ends_the_phase(running: Experiment) -> None:
    lifecycle.stop("varied")
    running.refresh_from_db()
    assert running.status == "stopped"
    assert running.stopped_at is not None
    assert running.phases.get().ended_at is not None


@pytest.mark.parametrize("status", ["draft", "stopped"])
def test_only_a_running_experiment_can_be_stopped(draft: Experiment, status: str) -> None:
    Experiment.objects.update(status=status)
    before = state(draft)
    with pytest.raises(ExperimentRefused, match=f"Only a running experiment can be stopped; it is {status}"):
        lifecycle.stop("varied")
    assert state(draft) == before


def test_started_again_it_runs_a_new_phase(running: Experiment) -> None:
    lifecycle.stop("varied")
    lifecycle.start("varied")
    running.refresh_from_db()
    assert (running.status, running.phase, running.stopped_at) == ("running", 2, None)
    assert [(phase.number, phase.ended_at is None) for phase in running.phases.all()] == [(1, False), (2, True)]


def test_other_weights_of_a_running_experiment_begin_a_phase(running: Experiment) -> None:
    assert lifecycle.change_weights("varied", {"control": 1, "diverse": 3}) == 2
    running.refresh_from_db()
    assert running.phase == 2
    assert list(running.variants.values_list("name", "weight")) == [("control", 1.0), ("diverse", 3.0)]
    first, second = running.phases.all()
    assert (first.weights, second.weights) == (
        [["control", 1.0], ["diverse", 1.0]],
        [["control", 1.0], ["diverse", 3.0]],
    )
    assert first.ended_at is not None
    assert second.ended_at is None


def test_the_same_weights_change_nothing(running: Experiment) -> None:
    before = state(running)
    assert lifecycle.change_weights("varied", {"diverse": 1, "control": 1}) == 1
    assert state(running) == before


def test_weights_of_a_draft_just_change(draft: Experiment) -> None:
    assert lifecycle.change_weights("varied", {"control": 9, "diverse": 1}) == 1
    assert list(draft.variants.values_list("weight", flat=True)) == [9.0, 1.0]
    assert not draft.phases.exists()


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({"control": 1, "other": 1}, "Give a weight to each of control, diverse; got control, other."),
        ({"control": 1, "diverse": -1}, "The weight of 'diverse' must be a number of 0 or more, not -1."),
        ({"control": 1, "diverse": math.inf}, "The weight of 'diverse' must be a number of 0 or more, not inf."),
        ({"control": 1, "diverse": 0}, "At least two variants need a weight above 0."),
    ],
)
def test_wrong_weights_are_refused(running: Experiment, weights: dict[str, float], reason: str) -> None:
    before = state(running)
    with pytest.raises(ExperimentRefused) as refusal:
        lifecycle.change_weights("varied", weights)
    assert refusal.value.reasons == (reason,)
    assert state(running) == before


def test_more_coverage_keeps_the_phase_and_less_begins_one(running: Experiment) -> None:
    Experiment.objects.update(coverage=0.5)
    assert lifecycle.change_coverage("varied", 0.8) == 1
    assert lifecycle.change_coverage("varied", 0.2) == 2
    running.refresh_from_db()
    assert (running.coverage, running.phase, running.phases.count()) == (0.2, 2, 2)


@pytest.mark.parametrize("coverage", [0, -1, 1.1, math.nan])
def test_impossible_coverage_is_refused(running: Experiment, coverage: float) -> None:
    before = state(running)
    with pytest.raises(ExperimentRefused, match="The coverage must be above 0 and at most 1"):
        lifecycle.change_coverage("varied", coverage)
    assert state(running) == before


def test_a_stopped_experiment_is_not_changed(running: Experiment) -> None:
    lifecycle.stop("varied")
    before = state(running)
    for change in (
        lambda: lifecycle.change_weights("varied", {"control": 1, "diverse": 2}),
        lambda: lifecycle.change_coverage("varied", 0.5),
    ):
        with pytest.raises(ExperimentRefused, match="It is stopped"):
            change()
    assert state(running) == before


@pytest.mark.django_db
def test_an_unknown_experiment_is_named() -> None:
    for verb in (lifecycle.start, lifecycle.stop):
        with pytest.raises(UnknownExperiment, match="There is no experiment 'nothing'"):
            verb("nothing")


def test_running_experiments_are_read_again_when_the_revision_moved(
    draft: Experiment, django_assert_num_queries: Any
) -> None:
    revision = revisions.from_database()[revisions.EXPERIMENTS]
    assert queries.running(revision) == ()
    lifecycle.start("varied")
    moved = revisions.from_database()[revisions.EXPERIMENTS]
    assert moved > revision
    with django_assert_num_queries(2):
        (found,) = queries.running(moved)
    with django_assert_num_queries(0):
        assert queries.running(moved) == (found,)
    assert (found.experiment_id, found.phase, found.placements) == ("varied", 1, {"homepage"})
    assert [(arm.variant, arm.configuration) for arm in found.arms] == [
        ("control", {}),
        ("diverse", {"recipe": "diverse"}),
    ]
    assert found.ranges == ((0.0, 0.5), (0.5, 1.0))


def test_editing_weights_behind_the_verbs_moves_nobody(running: Experiment) -> None:
    (before,) = queries.load_running()
    running.variants.filter(name="control").update(weight=50)
    assert queries.load_running() == (before,)


def test_a_deleted_variant_moves_nobody_else(running: Experiment) -> None:
    (before,) = queries.load_running()
    running.variants.filter(name="diverse").delete()
    (after,) = queries.load_running()
    for number in range(50):
        one, other = assign(str(number), before, "homepage"), assign(str(number), after, "homepage")
        assert one is not None
        assert other == (one if one.variant == "control" else None)


def test_stopped_experiments_do_not_run(running: Experiment) -> None:
    lifecycle.stop("varied")
    assert queries.load_running() == ()


@pytest.fixture
def layered(running: Experiment, metric: Metric) -> Experiment:
    """A draft for the first half of a layer whose second half is taken by `running`."""
    Experiment.objects.update(layer="ranking", layer_start=0.5, layer_end=1.0)
    experiment: Experiment = Experiment.objects.create(
        experiment_id="other",
        name="Other",
        placement="homepage",
        primary_metric=metric,
        layer="ranking",
        layer_start=0.0,
        layer_end=0.5,
    )
    for name in ("a", "b"):
        Variant.objects.create(experiment=experiment, name=name, configuration={"recipe": name})
    return experiment


def test_experiments_of_one_layer_do_not_meet(layered: Experiment) -> None:
    assert lifecycle.start("other") == []
    varied, other = queries.load_running()
    assert (varied.layer_range, other.layer_range) == ((0.5, 1.0), (0.0, 0.5))
    assert varied.layer_state == other.layer_state


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (0.4, 0.6, "'varied' has 0.5 to 1.0 of the layer 'ranking'."),
        (0.5, 0.5, "Its part of the layer must lie within 0 to 1 and not be empty, not 0.5 to 0.5."),
        (0.2, 1.5, "Its part of the layer must lie within 0 to 1 and not be empty, not 0.2 to 1.5."),
    ],
)
def test_a_part_of_a_layer_is_given_out_once(layered: Experiment, start: float, end: float, reason: str) -> None:
    Experiment.objects.filter(pk=layered.pk).update(layer_start=start, layer_end=end)
    before = state(layered)
    with pytest.raises(ExperimentRefused) as refusal:
        lifecycle.start("other")
    assert refusal.value.reasons == (reason,)
    assert state(layered) == before


def test_experiments_for_other_people_do_not_meet(running: Experiment, metric: Metric) -> None:
    Experiment.objects.update(countries="FR")
    other = Experiment.objects.create(
        experiment_id="other", name="Other", placement="homepage", primary_metric=metric, countries="DE,IT"
    )
    for name in ("a", "b"):
        Variant.objects.create(experiment=other, name=name, configuration={"recipe": name})
    assert lifecycle.start("other") == []


def test_a_ratio_needs_the_type_it_is_divided_by(draft: Experiment) -> None:
    Metric.objects.update(kind=Metric.Kind.RATIO)
    with pytest.raises(ExperimentRefused, match="counts events of type ''; known are"):
        lifecycle.start("varied")
