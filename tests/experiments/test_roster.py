from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from experiments.assignment import Assignment, RunningExperiment, assign, assign_first, prepare
from experiments.bucketing import choose
from experiments.roster import arms_by_bucket

SHARES = st.sampled_from([0.0, 0.0001, 0.1, 0.25, 0.3333, 0.5, 1.0])
RANGES = st.sampled_from([(0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.2, 0.4), (0.4, 0.9)])


@st.composite
def experiments(draw: st.DrawFn) -> tuple[RunningExperiment, ...]:
    return tuple(
        prepare(
            experiment_id=f"experiment-{number}",
            phase=draw(st.integers(1, 2)),
            placement=draw(st.sampled_from(["", "homepage", "homepage, cart", "cart"])),
            coverage=draw(SHARES),
            weights=[("a", draw(SHARES)), ("b", 1.0), ("gone", draw(SHARES))],
            configurations={"a": {}, "b": {}},
            countries=draw(st.sampled_from(["", "FR", "FR, DE"])),
            segments=draw(st.sampled_from(["", "new"])),
            layer=draw(st.sampled_from(["", "ranking", "page"])),
            layer_range=draw(RANGES),
            interleaves=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 8)))
    )


def one_by_one(
    unit: str, running: Sequence[RunningExperiment], placement: str, country: str, segments: tuple[str, ...]
) -> Assignment | None:
    found = (assign(unit, one, placement, country, segments) for one in running)
    return next((assignment for assignment in found if assignment), None)


@given(experiments(), st.sampled_from(["homepage", "cart", ""]), st.sampled_from(["FR", "IT", ""]), st.booleans())
def test_it_says_what_the_experiments_say_one_by_one(
    running: tuple[RunningExperiment, ...], placement: str, country: str, is_new: bool
) -> None:
    segments = ("new",) if is_new else ()
    for unit in ("", *(f"user_{number}" for number in range(30))):
        for _ in range(2):
            found = assign_first(unit, running, placement, country, segments)
            assert found == one_by_one(unit, running, placement, country, segments)


def test_a_list_of_experiments_may_change_meanwhile() -> None:
    """Only a tuple stands still."""
    whole = prepare(
        experiment_id="x",
        phase=1,
        placement="",
        coverage=1.0,
        weights=[("a", 1.0), ("b", 1.0)],
        configurations={"a": {}, "b": {}},
    )
    running: list[RunningExperiment] = []
    assert assign_first("user_1", running, "") is None
    running.append(whole)
    assert assign_first("user_1", running, "") == assign("user_1", whole, "")


def test_every_place_has_the_arm_that_is_chosen_there() -> None:
    ranges = ((0.0, 0.1), (0.3333, 0.3334), (0.5, 0.5), (0.3334, 1.0))
    assert list(arms_by_bucket(ranges)) == [choose(place / 10_000, ranges) for place in range(10_000)]
