from __future__ import annotations

from math import log2

import numpy as np
import pytest

from tests.recommender.ranking.requests import examples_of

EXAMPLES = examples_of({"one": [0, 0, 0], "taken": [0, 1, 0]}, {"one": [0, 0], "taken": [1, 1]}, wanted=[2, 3])


def test_requests_stand_one_after_the_other() -> None:
    assert len(EXAMPLES) == 2
    assert EXAMPLES.starts.tolist() == [0, 3, 5]
    assert EXAMPLES.request_of.tolist() == [0, 0, 0, 1, 1]


def test_ndcg_is_that_of_each_requests_own_order() -> None:
    found = EXAMPLES.ndcg(np.array([0.1, 0.9, 0.5, 0.3, 0.3]))
    # The first user's hit is on top, and he took another one that was no candidate; the second user's two of three
    # stand on top, equal scores in row order.
    second, third = 1 / log2(3), 1 / log2(4)
    assert found == pytest.approx([1 / (1 + second), (1 + second) / (1 + second + third)])


def test_places_are_counted_in_each_request() -> None:
    assert EXAMPLES.places(np.array([0.1, 0.9, 0.5, 0.3, 0.3])).tolist() == [2, 0, 1, 0, 1]


def test_what_stands_below_the_cut_does_not_count() -> None:
    scores = np.array([0.9, 0.5, 0.7, 0.1, 0.2])
    assert EXAMPLES.ndcg(scores, k=2).tolist() == [0.0, 1.0]
    assert EXAMPLES.ndcg(scores, k=1).tolist() == [0.0, 1.0]
    # Third place of three, one of at most two that were possible.
    assert EXAMPLES.ndcg(scores, k=3)[0] == pytest.approx((1 / log2(4)) / (1 + 1 / log2(3)))
