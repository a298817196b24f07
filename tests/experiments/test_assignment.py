from __future__ import annotations

from collections import Counter

import pytest

from experiments.assignment import Assignment, RunningExperiment, assign, assign_first, prepare
from experiments.hashing import position


def running(
    experiment_id: str = "checkout", *, phase: int = 1, placement: str = "homepage", coverage: float = 1.0
) -> RunningExperiment:
    return prepare(
        experiment_id=experiment_id,
        phase=phase,
        placement=placement,
        coverage=coverage,
        weights=[("control", 1.0), ("diverse", 3.0)],
        configurations={"control": {}, "diverse": {"recipe": "diverse"}},
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
