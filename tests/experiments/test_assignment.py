from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from experiments.assignment import Assignment, RunningExperiment, assign, assign_first, forced, prepare
from experiments.hashing import position


def running(
    experiment_id: str = "checkout",
    *,
    phase: int = 1,
    placement: str = "homepage",
    coverage: float = 1.0,
    **more: Any,
) -> RunningExperiment:
    return prepare(
        experiment_id=experiment_id,
        phase=phase,
        placement=placement,
        coverage=coverage,
        weights=[("control", 1.0), ("diverse", 3.0)],
        configurations={"control": {}, "diverse": {"recipe": "diverse"}},
        **more,
    )


def test_the_arm_follows_the_hash_of_id_and_phase() -> None:
    units = [f"user_{number}" for number in range(50)]
    expected = ["control" if position("checkout:1", unit) < 0.25 else "diverse" for unit in units]
    assert set(expected) == {"control", "diverse"}
    assignments = [assign(unit, running(), "homepage") for unit in units]
    assert [assignment.variant for assignment in assignments if assignment] == expected


def test_an_assignment_carries_what_is_logged_and_what_is_overridden() -> None:
    unit = next(f"u{number}" for number in range(100) if position("checkout:3", f"u{number}") >= 0.25)
    assert assign(unit, running(phase=3), "homepage") == Assignment(
        experiment_id="checkout", phase=3, variant="diverse", configuration={"recipe": "diverse"}
    )


def test_weights_are_relative() -> None:
    counts = Counter(
        assignment.variant for number in range(4_000) if (assignment := assign(str(number), running(), "homepage"))
    )
    assert counts.total() == 4_000
    assert counts["control"] == pytest.approx(1_000, abs=110)  # 4 standard deviations


@pytest.mark.parametrize(("unit", "placement"), [("", "homepage"), ("user_1", "product_page"), ("user_1", "")])
def test_no_unit_or_another_placement_is_not_in_the_experiment(unit: str, placement: str) -> None:
    assert assign(unit, running(), placement) is None


def test_an_experiment_without_placement_applies_everywhere() -> None:
    assert assign("user_1", running(placement=""), "anything") is not None


def test_a_new_phase_assigns_afresh() -> None:
    units = [str(number) for number in range(200)]
    first, second = running(phase=1), running(phase=2)
    moved = [
        unit for unit in units if assign(unit, first, "homepage").variant != assign(unit, second, "homepage").variant
    ]  # type: ignore[union-attr]
    assert moved


def test_a_deleted_variant_moves_nobody_else() -> None:
    gone = prepare(
        experiment_id="checkout",
        phase=1,
        placement="homepage",
        coverage=1.0,
        weights=[("control", 1.0), ("diverse", 3.0)],
        configurations={"control": {}},
    )
    for number in range(100):
        before, after = assign(str(number), running(), "homepage"), assign(str(number), gone, "homepage")
        assert before is not None
        assert after == (before if before.variant == "control" else None)


def test_a_list_takes_part_in_the_first_experiment_that_covers_the_unit() -> None:
    half, other = running("older", coverage=0.5), running("newer")
    chosen = {
        str(number): assignment.experiment_id
        for number in range(200)
        if (assignment := assign_first(str(number), (half, other), "homepage"))
    }
    assert len(chosen) == 200
    for unit, experiment_id in chosen.items():
        assert experiment_id == ("older" if assign(unit, half, "homepage") else "newer")
    assert set(chosen.values()) == {"older", "newer"}
    assert assign_first("1", (), "homepage") is None


UNITS = [f"user_{number}" for number in range(2_000)]


def taken(experiment: RunningExperiment) -> set[str]:
    return {unit for unit in UNITS if assign(unit, experiment, "homepage")}


def test_a_layer_gives_each_unit_to_one_experiment_at_most() -> None:
    first = running("first", layer="ranking", layer_range=(0.0, 0.3))
    second = running("second", layer="ranking", layer_range=(0.3, 1.0))
    assert taken(first) | taken(second) == set(UNITS)
    assert not taken(first) & taken(second)
    assert len(taken(first)) == pytest.approx(600, abs=82)  # 4 standard deviations


def test_a_part_of_a_layer_is_half_open_and_hashed_by_the_layer_s_own_name() -> None:
    """The hash says 0.4312 of one unit, say: it is in no part that ends there, and in the one that begins there."""
    unit = "user_1"
    place = position("layer:ranking:", unit)
    assert assign(unit, running(layer="ranking", layer_range=(0.0, place)), "homepage") is None
    assert assign(unit, running(layer="ranking", layer_range=(place, 1.0)), "homepage") is not None


def test_arms_are_independent_of_the_layer() -> None:
    """Each arm has its share of the 1,000 units of half a layer: a quarter, ± 4 standard deviations."""
    half = running(layer="ranking", layer_range=(0.0, 0.5))
    arms = Counter(assign(unit, half, "homepage").variant for unit in taken(half))  # type: ignore[union-attr]
    assert arms["control"] / arms.total() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / arms.total()) ** 0.5)


@pytest.mark.parametrize(
    ("target", "given", "is_in"),
    [
        ({"countries": "FR, DE"}, {"country": "DE"}, True),
        ({"countries": "FR, DE"}, {"country": "IT"}, False),
        ({"countries": "FR"}, {}, False),
        ({"segments": "new,returning"}, {"segments": ("returning",)}, True),
        ({"segments": "new"}, {"segments": ("regular",)}, False),
        ({"segments": "new"}, {}, False),
        ({"countries": "FR", "segments": "new"}, {"country": "FR", "segments": ("new",)}, True),
        ({"countries": "FR", "segments": "new"}, {"country": "FR"}, False),
    ],
)
def test_only_whom_it_is_for_takes_part(target: dict[str, str], given: dict[str, Any], is_in: bool) -> None:
    assert (assign("user_1", running(**target), "homepage", **given) is not None) is is_in


def test_several_placements_can_be_named() -> None:
    experiment = running(placement="homepage, product_page")
    here, there = (assign("user_1", experiment, name) for name in ("homepage", "product_page"))
    assert here is not None
    assert here == there
    assert assign("user_1", experiment, "cart") is None


def shares(experiment_id: str, phase: int, weights: list[float], *, sticky: bool) -> RunningExperiment:
    names = ["a", "b"]
    return prepare(
        experiment_id=experiment_id,
        phase=phase,
        placement="",
        coverage=1.0,
        weights=list(zip(names, weights, strict=True)),
        configurations={name: {} for name in names},
        sticky=sticky,
    )


@pytest.mark.parametrize(("sticky", "share_moved"), [(True, 0.1), (False, 0.5)])
def test_new_weights_move_few_users_of_a_sticky_experiment(sticky: bool, share_moved: float) -> None:
    """From a half to 0.6: a tenth moves; drawn afresh, 0.5 · 0.4 + 0.5 · 0.6 = a half does."""
    before, after = (shares("x", phase, [w, 1 - w], sticky=sticky) for phase, w in ((1, 0.5), (2, 0.6)))
    moved = 0
    for unit in UNITS:
        one, other = assign(unit, before, ""), assign(unit, after, "")
        assert one is not None
        assert other is not None
        moved += one.variant != other.variant
    assert moved / len(UNITS) == pytest.approx(share_moved, abs=0.045)


def test_a_paused_arm_takes_nobody() -> None:
    paused = shares("x", 1, [1.0, 0.0], sticky=False)
    assert {assign(unit, paused, "").variant for unit in UNITS} == {"a"}  # type: ignore[union-attr]


def test_a_variant_can_be_asked_for_by_name() -> None:
    experiments = (running("older"), running("newer", coverage=0.0001, countries="FR"))
    found = forced(experiments, "newer", "diverse")
    assert found is not None
    assert (found.experiment_id, found.variant) == ("newer", "diverse")
    assert forced(experiments, "newer", "nothing") is None
    assert forced(experiments, "nothing", "diverse") is None


def test_mixed_lists_take_everybody_who_is_covered() -> None:
    """All variants of a weight above 0 play, whatever their weights."""
    weights = [("a", 1.0), ("b", 9.0), ("paused", 0.0), ("gone", 1.0)]
    experiment = prepare(
        experiment_id="mix",
        phase=1,
        placement="",
        coverage=0.5,
        weights=weights,
        configurations={"a": {}, "b": {"recipe": "x"}, "paused": {}},
        interleaves=True,
    )
    found = [assign(unit, experiment, "") for unit in UNITS]
    taking_part = [assignment for assignment in found if assignment]
    assert len(taking_part) == pytest.approx(1_000, abs=90)
    assert {assignment.variant for assignment in taking_part} == {"interleaved"}
    assert taking_part[0].teams == (("a", {}), ("b", {"recipe": "x"}))


def test_one_variant_alone_is_mixed_with_nothing() -> None:
    experiment = prepare(
        experiment_id="mix",
        phase=1,
        placement="",
        coverage=1.0,
        weights=[("a", 1.0), ("gone", 1.0)],
        configurations={"a": {}},
        interleaves=True,
    )
    assert assign("user_1", experiment, "") is None
