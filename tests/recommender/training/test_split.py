from __future__ import annotations

import numpy as np
import pytest

from recommender.training.split import held_out, last_share_by_user, leave_one_out, random_share_by_user
from tests.recommender.worlds import interactions_of


def test_each_users_newest_fifth_is_held_out() -> None:
    data = interactions_of(
        *[(0, item) for item in range(10)], (1, 0), (1, 1), (1, 2), (1, 3), *[(3, i) for i in range(5)]
    )
    mask = last_share_by_user(data)
    # Two of ten, none of four, none of nobody, one of five.
    assert mask.tolist() == [False] * 8 + [True] * 2 + [False] * 4 + [False] * 4 + [True]


@pytest.mark.parametrize(("pairs", "number"), [(4, 0), (5, 1), (9, 1), (10, 2), (15, 3), (35, 7), (45, 9)])
def test_the_share_is_rounded_down(pairs: int, number: int) -> None:
    data = interactions_of(*[(0, item) for item in range(pairs)])
    assert int(last_share_by_user(data).sum()) == number


def test_a_random_share_is_each_users_own() -> None:
    """Two of ten, none of four, one of five, whatever the seed; over many seeds every pair has its turn."""
    data = interactions_of(
        *[(0, item) for item in range(10)], *[(1, item) for item in range(4)], *[(2, item) for item in range(5)]
    )
    masks = [random_share_by_user(data, seed=seed) for seed in range(100)]
    for mask in masks:
        assert np.bincount(data.users[mask], minlength=3).tolist() == [2, 0, 1]
    often = np.sum(masks, axis=0)
    assert (often[:10] > 0).all()
    assert (often[14:] > 0).all()


def test_a_seed_draws_the_same_again() -> None:
    data = interactions_of(*[(0, item) for item in range(100)])
    first = random_share_by_user(data, seed=1)
    assert first.tolist() == random_share_by_user(data, seed=1).tolist()
    assert first.tolist() != random_share_by_user(data, seed=2).tolist()


def test_the_newest_is_left_out_where_something_stays() -> None:
    data = interactions_of((0, 5), (1, 5), (1, 3), (2, 4), (2, 9), (2, 0), n_users=4)
    assert data.items[leave_one_out(data)].tolist() == [3, 0]


def test_ways_go_by_name() -> None:
    data = interactions_of(*[(0, item) for item in range(10)])
    assert data.items[held_out(data, "time", share=0.3)].tolist() == [7, 8, 9]
    assert held_out(data, "random", share=0.3, seed=4).tolist() == random_share_by_user(data, 0.3, 4).tolist()
    assert data.items[held_out(data, "leave-one-out", share=0.3)].tolist() == [9]
