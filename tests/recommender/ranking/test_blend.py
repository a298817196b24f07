from __future__ import annotations

import numpy as np
import pytest

from recommender.ranking import blend
from tests.recommender.ranking.requests import Request, examples_of

NAN = float("nan")
BOTH = {"one": [1.0, 0.9, -1.9], "two": [-1.9, 0.9, 1.0], "taken": [0, 1, 0]}
"""Either source alone puts what was taken second; any sum of both puts it first."""
MISLEADING = {"one": [1.0, 0.0, -1.0], "two": [-1.0, 0.0, 1.0], "taken": [0, 0, 1]}
"""The second source is right, the first one as wrong as can be."""


def weights(*requests: Request, chosen: list[bool] | None = None, wanted: list[int] | None = None) -> dict[str, float]:
    return blend.fit(examples_of(*requests, wanted=wanted), np.array(chosen or [True] * len(requests)))


def test_sources_that_only_a_sum_of_makes_right_share_the_weight() -> None:
    assert weights(BOTH, BOTH) == pytest.approx({"one": 0.5, "two": 0.5}, abs=2e-3)


def test_a_source_that_is_wrong_counts_against() -> None:
    assert weights(MISLEADING) == pytest.approx({"one": -0.5, "two": 0.5}, abs=2e-3)


def test_a_source_that_says_nothing_of_what_is_taken_has_no_weight() -> None:
    idle = {**MISLEADING, "idle": [1.0, -1.0, 1.0]}
    mirrored = {**MISLEADING, "idle": [-1.0, 1.0, -1.0]}
    assert set(weights(idle, mirrored)) == {"one", "two"}


def test_only_the_chosen_requests_count() -> None:
    right = {"one": [1.0, 0.0, -1.0], "two": [0.0, 0.0, 0.0], "taken": [1, 0, 0]}
    assert weights(right, MISLEADING, chosen=[True, False]) == {"one": 1.0}
    assert weights(right, MISLEADING, chosen=[False, True])["one"] < 0


def test_a_request_counts_the_same_however_much_was_taken() -> None:
    """`one` is right once, of three items taken; `two` is right once, of one."""
    many = {"one": [1.0, 1.0, 1.0, -3.0], "two": [0.0, 0.0, 0.0, 0.0], "taken": [1, 1, 1, 0]}
    few = {"one": [0.0, 0.0, 0.0, 0.0], "two": [1.0, 1.0, 1.0, -3.0], "taken": [1, 0, 0, 0]}
    found = weights(many, few)
    assert found["one"] == pytest.approx(found["two"], abs=2e-3)


def test_the_weights_are_the_most_likely_ones() -> None:
    """Against a search of the direction, a degree at a time, with the length that is best for it."""
    random = np.random.default_rng(4)
    z = random.normal(size=(40, 6, 2))
    taken = (z @ [2.0, 1.0] + random.gumbel(size=(40, 6))).argmax(axis=1)
    requests = [
        {"one": one[:, 0], "two": one[:, 1], "taken": np.arange(6) == place}
        for one, place in zip(z, taken, strict=True)
    ]

    def loss(direction: float, length: float) -> float:
        scores = z @ (length * np.array([np.cos(direction), np.sin(direction)]))
        likelihood = (scores[np.arange(40), taken] - np.log(np.exp(scores).sum(axis=1))).sum()
        return float(blend.RIDGE * length**2 - likelihood)

    directions = np.radians(np.arange(0, 90))
    best = min(directions, key=lambda direction: min(loss(direction, length) for length in np.linspace(0.01, 2, 200)))
    found = weights(*requests)  # type: ignore[arg-type]
    assert np.degrees(np.arctan2(found["two"], found["one"])) == pytest.approx(np.degrees(best), abs=1)


def test_requests_may_have_any_length() -> None:
    one_candidate = {"one": [0.0], "two": [0.0], "taken": [1]}
    nothing: Request = {"one": [], "two": [], "taken": []}
    right = {"one": list(np.linspace(-1, 1, 60)), "two": [0.0] * 60, "taken": [0] * 59 + [1]}
    assert weights(one_candidate, nothing, right, wanted=[1, 1, 1]) == {"one": 1.0}


def test_what_stands_high_in_no_list_is_not_looked_at() -> None:
    last = {"one": list(range(60, 0, -1)), "two": [0.0] * 60, "taken": [0] * 59 + [1]}
    right = {"one": [1.0, 0.0, -1.0], "two": [0.0, 0.0, 0.0], "taken": [1, 0, 0]}
    deep = {**last, "two": list(range(60, 0, -1))}
    assert weights(right, deep) == weights(right)


def test_where_nothing_can_be_learned_the_best_source_alone_has_the_weight() -> None:
    flat = {"one": [0.0, 0.0], "two": [0.0, 0.0], "taken": [0, 1]}
    assert weights(flat) == {"one": 1.0}
    missed = {"one": [1.0, -1.0], "two": [1.0, -1.0], "taken": [0, 0]}
    assert weights(missed, wanted=[1]) == {"one": 1.0}


def test_a_score_has_mean_nought_and_deviation_one_in_each_request() -> None:
    examples = examples_of(
        {"one": [0.0, 2.0], "two": [1.0, 1.0], "taken": [0, 1]},
        {"one": [5.0, 5.0, 8.0], "two": [0, 0, 0], "taken": [0, 0, 1]},
    )
    # 5, 5, 8: mean 6, deviation √2.
    assert blend.score(examples, {"one": 0.5}) == pytest.approx([-1, 1, -(0.5**0.5), -(0.5**0.5), 2**0.5])
    assert blend.score(examples, {"two": 1.0}).tolist() == [0.0] * 5


def test_an_item_that_a_source_does_not_know_gets_its_lowest_of_the_request() -> None:
    examples = examples_of(
        {"one": [1.0, NAN, -1.0], "taken": [1, 0, 0]},
        {"one": [], "taken": []},
        {"one": [2.0, NAN], "taken": [1, 0]},
        {"one": [NAN], "taken": [1]},
        {"one": [], "taken": []},
    )
    assert blend.known_z(examples).tolist() == [[1.0], [-1.0], [-1.0], [2.0], [2.0], [0.0]]
    assert blend.of_z(blend.known_z(examples), ("one",), {"one": 0.5}).tolist() == [0.5, -0.5, -0.5, 1.0, 1.0, 0.0]
    nothing = examples_of({"one": [], "taken": []})
    assert blend.known_z(nothing).shape == (0, 1)


def test_a_source_without_a_weight_adds_nothing() -> None:
    z = np.array([[1.0, 100.0]], dtype=np.float32)
    assert blend.of_z(z, ("one", "two"), {"one": 2.0, "absent": 9.0}).tolist() == [2.0]
