from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender import history
from recommender.contracts import History
from recommender.training.dataset import interactions
from recommender.training.evaluation import history_of as history_before
from tests.recommender.worlds import catalogue_of, history_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {})
"""Keys 10, 20, 30, 40 at rows 0, 1, 2, 3."""


def build(*events: tuple[int, float], seen: tuple[int, ...] = ()) -> History:
    """Return the history of (item key, weight) pairs, newest first, at the times n, n - 1, …, 1."""
    return history.build(
        np.array([pk for pk, _ in events], dtype=np.int64),
        np.array([weight for _, weight in events], dtype=np.float32),
        np.arange(len(events), 0, -1, dtype=np.float64),
        np.array(seen, dtype=np.int64),
        CATALOGUE,
    )


def as_lists(built: History) -> tuple[Any, ...]:
    return built.rows.tolist(), built.weights.tolist(), built.occurred_at.tolist(), built.seen.tolist()


def test_an_item_counts_once_at_its_newest_event_with_its_largest_weight() -> None:
    built = build((20, 0.25), (10, 1.0), (20, 1.5), (40, 0.5), (10, 0.25))
    assert as_lists(built) == ([1, 0, 3], [1.5, 1.0, 0.5], [5, 4, 2], [])
    assert (built.rows.dtype, built.weights.dtype, built.seen.dtype) == (np.int64, np.float32, np.int64)


def test_a_disliked_item_does_not_count() -> None:
    assert as_lists(build((20, -1.0), (10, 1.0), (20, 1.5))) == ([0], [1.0], [2], [])


def test_a_dislike_that_was_taken_back_counts_again() -> None:
    assert as_lists(build((20, 1.0), (10, 1.0), (20, -1.0))) == ([1, 0], [1.0, 1.0], [3, 2], [])


def test_an_event_of_weight_zero_says_nothing() -> None:
    assert as_lists(build((20, 0.0), (10, 1.0), (20, -1.0))) == ([0], [1.0], [2], [])


def test_items_the_catalogue_no_longer_has_are_left_out() -> None:
    built = build((99, 1.0), (10, 1.0), (25, 1.0), seen=(99, 40, 10, 5))
    assert as_lists(built) == ([0], [1.0], [2], [0, 3])


def test_no_events_are_an_empty_history() -> None:
    assert as_lists(build()) == ([], [], [], [])
    assert as_lists(History.empty()) == ([], [], [], [])


def test_only_the_newest_items_are_kept() -> None:
    n = history.ITEMS_AT_ALL + 5
    wide = catalogue_of(*({} for _ in range(n)))
    pks = wide.pks[::-1].copy()
    built = history.build(pks, np.ones(n, np.float32), np.arange(n, 0.0, -1), np.empty(0, np.int64), wide)
    assert built.rows.tolist() == list(range(n - 1, 4, -1))


@pytest.mark.parametrize(("ordered", "most"), [(True, 250), (False, 1000)])
def test_a_model_trained_on_events_in_order_looks_at_fewer(ordered: bool, most: int) -> None:
    n = 1005
    one = interactions(
        users=np.zeros(n, np.int64),
        items=np.arange(n),
        weights=np.ones(n, np.float32),
        occurred_at=np.arange(n, dtype=np.float64),
        n_users=1,
        n_items=n,
    )
    one = replace(one, ordered=ordered)
    assert len(history_before(one, one.user_starts(), 0).rows) == history.longest(ordered=ordered) == most


def test_the_kth_newest_item_weighs_less() -> None:
    query = query_of(CATALOGUE, history=history_of([2, 0, 3], [1.0, 2.0, 1.0]))
    # weight · (0.5^(k/2) + 0.1): 1 · (1 + 0.1), 2 · (0.5^0.5 + 0.1), 1 · (0.5 + 0.1)
    assert query.basis_weights(2) == pytest.approx([1.1, 2 * (0.70710678 + 0.1), 0.6])
    assert query.basis_weights(2, floor=0.0) == pytest.approx([1.0, 2 * 0.70710678, 0.5])
    assert query.basis_weights(None).tolist() == [1.0, 2.0, 1.0]
    assert query.basis_weights(2).dtype == np.float32
    assert query.basis.tolist() == [2, 0, 3]


def test_a_seed_replaces_the_history_and_counts_one() -> None:
    query = query_of(CATALOGUE, history=history_of([2, 0]), seed=3)
    assert query.basis.tolist() == [3]
    assert query.basis_weights(2).tolist() == [1.0]


def named(*liked: str, events: tuple[tuple[int, float], ...] = ((20, 0.5), (30, -1.0))) -> History:
    return history.build(
        np.array([pk for pk, _ in events], dtype=np.int64),
        np.array([weight for _, weight in events], dtype=np.float32),
        np.arange(len(events), 0, -1, dtype=np.float64),
        np.array([20], dtype=np.int64),
        CATALOGUE,
        liked=liked,
    )


def test_items_he_names_come_after_his_events_and_are_not_recommended() -> None:
    built = named("d", "a")
    assert as_lists(built) == ([1, 3, 0], [0.5, 1.0, 1.0], [2, 0, 0], [0, 1, 3])
    assert built.named == 2


def test_what_he_did_with_an_item_says_more_than_that_he_named_it() -> None:
    # b was looked at, c disliked, and nobody has heard of "z".
    built = named("b", "c", "z")
    assert (as_lists(built), built.named) == (([1], [0.5], [2], [1]), 0)


def test_items_named_are_a_history_of_their_own() -> None:
    built = named("c", events=())
    assert (as_lists(built), built.named) == (([2], [1.0], [0], [1, 2]), 1)
