from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.training.next_items import NextItemsParameters, equations, solve, train
from tests.recommender.worlds import interactions_of

EVERY_EVENT = NextItemsParameters(regularization=0.58, half_life=1.0, every=1, ahead=2, decay=0.5)
TWICE = interactions_of((0, 0), (0, 1), (1, 0), (1, 1))
"""Two users take a, then b."""


def test_weights_lead_from_what_was_taken_to_what_came_next() -> None:
    # One cut a user: a behind it weighs 0.5⁰ + 0.1 = 1.1, b ahead of it 1. AᵀA = 2 · 1.21, AᵀY = 2 · 1.1.
    weights = train(TWICE, EVERY_EVENT, seed=1)
    assert weights.dtype == np.float32
    assert weights.toarray() == pytest.approx(np.array([[0, 2.2 / (2.42 + 0.58)], [0, 0]]))


def test_history_and_target_fade_away_from_the_cut() -> None:
    # a, b, c: a cut after a (history a, target b and half of c) and one after b (history b and faded a, target c).
    normal = equations(interactions_of((0, 0), (0, 1), (0, 2)), EVERY_EVENT, 1, np.arange(3))
    newest, before = 1.1, 0.5 + 0.1
    past = np.array([[newest, 0, 0], [before, newest, 0]])
    future = np.array([[0, 1, 0.5], [0, 0, 1]])
    assert normal.left == pytest.approx(past.T @ past)
    assert normal.right == pytest.approx(past.T @ future)


def test_an_event_weighs_what_its_type_does() -> None:
    data = replace(TWICE, weights=np.array([2, 1, 2, 1], dtype=np.float32))
    normal = equations(data, EVERY_EVENT, 1, np.arange(2))
    assert normal.left[0, 0] == pytest.approx(2 * 2.2**2)
    assert normal.right[0, 1] == pytest.approx(2 * 2.2)


def test_cuts_lie_a_few_events_apart_counted_from_the_end() -> None:
    # Of seven events, cuts at two and at five behind the first; the history reaches back one event, ahead one.
    parameters = replace(EVERY_EVENT, every=3, ahead=1, history=1)
    normal = equations(interactions_of(*((0, item) for item in range(7))), parameters, 1, np.arange(7))
    assert np.argwhere(normal.right > 0).tolist() == [[0, 1], [3, 4]]
    assert normal.left.nonzero()[0].tolist() == [0, 3]


def test_the_number_of_cuts_is_bounded_and_drawn_the_same_each_time() -> None:
    data = interactions_of(*((user, item) for user in range(10) for item in range(2)))
    parameters = replace(EVERY_EVENT, cuts=4)
    first = equations(data, parameters, 1, np.arange(2))
    assert first.left[0, 0] == pytest.approx(4 * 1.21)
    assert equations(data, parameters, 1, np.arange(2)).left.tolist() == first.left.tolist()


def test_only_the_strongest_entries_are_kept() -> None:
    data = interactions_of((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))
    full = train(data, EVERY_EVENT, seed=1).toarray()
    kept = train(data, replace(EVERY_EVENT, neighbours=1), seed=1).toarray()
    assert (np.count_nonzero(kept, axis=1) <= 1).all()
    for row in range(3):
        assert np.abs(kept[row]).max() == np.abs(full[row]).max()


def test_more_regularization_draws_weights_to_nought() -> None:
    normal = equations(TWICE, EVERY_EVENT, 1, np.arange(2))
    left = normal.left.copy()
    assert solve(normal, 2.2 - 0.02, 5).toarray()[0, 1] == pytest.approx(2.2 / 4.6)
    assert normal.left.tolist() == left.tolist()


@pytest.mark.parametrize("pairs", [[(0, 0)], [(0, 0), (1, 1), (2, 2)], [(0, 0), (0, 1), (1, 2)]])
def test_where_nothing_comes_next_twice_there_are_no_weights(pairs: list[tuple[int, int]]) -> None:
    data = interactions_of(*pairs)
    weights = train(data, EVERY_EVENT, seed=1)
    assert weights.shape == (data.n_items, data.n_items)
    assert weights.nnz == 0
