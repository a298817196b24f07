from __future__ import annotations

import numpy as np
import pytest

from recommender.ranking import blend
from tests.recommender.ranking.requests import examples_of

NAN = float("nan")
BOTH = {"one": [1.0, 0.9, -1.9], "two": [-1.9, 0.9, 1.0], "taken": [0, 1, 0]}
"""Either source alone puts what was taken second; any sum of both puts it first."""
MISLEADING = {"one": [1.0, 0.0, -1.0], "two": [-1.0, 0.0, 1.0], "taken": [0, 0, 1]}
"""The second source is right, the first one as wrong as can be."""


def test_a_source_joins_the_best_one_when_the_lists_get_better() -> None:
    # 0.1 is the smallest weight tried: 0.9 + 0.1 · 0.9 = 0.99 stands above 1 − 0.1 · 1.9 = 0.81 already.
    assert blend.search(examples_of(BOTH, BOTH), np.array([True, True])) == {"one": 1.0, "two": 0.1}


def test_a_source_that_makes_no_list_better_has_no_weight() -> None:
    assert blend.search(examples_of(MISLEADING), np.array([True])) == {"two": 1.0}


def test_only_the_chosen_requests_count() -> None:
    examples = examples_of(BOTH, MISLEADING, MISLEADING)
    assert blend.search(examples, np.array([True, False, False])) == {"one": 1.0, "two": 0.1}
    assert blend.search(examples, np.array([False, True, True])) == {"two": 1.0}


def test_requests_may_have_any_length() -> None:
    one_candidate = {"one": [0.0], "two": [0.0], "taken": [1]}
    many = {"one": list(range(40)), "two": list(range(40, 0, -1)), "taken": [0] * 39 + [1]}
    assert blend.search(examples_of(one_candidate, many), np.array([True, True])) == {"one": 1.0}


def test_a_request_without_candidates_is_a_miss_for_all() -> None:
    nothing = {"one": [], "two": [], "taken": []}
    examples = examples_of(nothing, MISLEADING, wanted=[1, 1])
    assert blend.search(examples, np.array([True, True])) == {"two": 1.0}
    assert blend.score(examples, {"two": 1.0}) == pytest.approx([-(1.5**0.5), 0, 1.5**0.5])


def test_a_score_has_mean_nought_and_deviation_one_in_each_request() -> None:
    examples = examples_of(
        {"one": [0.0, 2.0], "two": [1.0, 1.0], "taken": [0, 1]},
        {"one": [5.0, 5.0, 8.0], "two": [0, 0, 0], "taken": [0, 0, 1]},
    )
    # 5, 5, 8: mean 6, deviation √2.
    assert blend.score(examples, {"one": 0.5}) == pytest.approx([-1, 1, -(0.5**0.5), -(0.5**0.5), 2**0.5])
    assert blend.score(examples, {"two": 1.0}).tolist() == [0.0] * 5


def test_an_item_that_a_source_does_not_know_gets_its_mean() -> None:
    examples = examples_of({"one": [1.0, NAN, -1.0], "taken": [1, 0, 0]})
    assert blend.known_z(examples).tolist() == [[1.0], [0.0], [-1.0]]
    assert blend.of_z(blend.known_z(examples), ("one",), {"one": 0.5}).tolist() == [0.5, 0.0, -0.5]


def test_a_source_without_a_weight_adds_nothing() -> None:
    z = np.array([[1.0, 100.0]], dtype=np.float32)
    assert blend.of_z(z, ("one", "two"), {"one": 2.0, "absent": 9.0}).tolist() == [2.0]


def test_some_requests_can_be_taken_out() -> None:
    examples = examples_of(BOTH, {"one": [7.0], "two": [8.0], "taken": [1]}, MISLEADING)
    part, places = blend.subset(examples, np.array([2, 1]))
    assert places.tolist() == [4, 5, 6, 3]
    assert part.starts.tolist() == [0, 3, 4]
    assert part.rows.tolist() == [0, 1, 2, 0]
    assert part.features[:, :2].tolist() == [[1, -1], [0, 0], [-1, 1], [7, 8]]
    assert part.taken.tolist() == [False, False, True, True]
    assert part.wanted.tolist() == [1, 1]
