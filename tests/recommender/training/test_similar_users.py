from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.training import similar_users
from recommender.training.similar_users import SimilarUsersParameters
from tests.recommender.worlds import interactions_of

# User 1 was here first, user 3 never, user 0 last of all.
DATA = interactions_of((1, 0), (1, 1), (2, 2), (0, 0), (0, 2), (0, 1), n_users=4, n_items=3)
FACTORS = np.array([[1, 0], [0, 2], [1, 1]], dtype=np.float32)
ARRAYS = {"collaborative.factors": FACTORS, "collaborative.gram": FACTORS.T.astype(np.float64) @ FACTORS}


def test_each_active_user_is_folded_in_from_what_he_took() -> None:
    found, vectors = similar_users.train(DATA, SimilarUsersParameters(), ARRAYS, regularization=1.0)
    assert found["similar_users.indptr"].tolist() == [0, 3, 5, 6]
    assert found["similar_users.indices"].tolist() == [0, 1, 2, 0, 1, 2]
    # YᵀY + I = [[3, 1], [1, 6]], its inverse [[6, −1], [−1, 3]] / 17; the sums of factors (2, 3), (1, 2), (1, 1).
    assert vectors == pytest.approx(np.array([[9, 7], [4, 5], [5, 2]]) / 17)


def test_only_the_most_recently_active_users_and_their_newest_items_are_kept() -> None:
    found, vectors = similar_users.train(DATA, SimilarUsersParameters(users=2, items=2), ARRAYS, regularization=1.0)
    # User 0 with items 2 and 1, user 2.
    assert found["similar_users.indptr"].tolist() == [0, 2, 3]
    assert found["similar_users.indices"].tolist() == [1, 2, 2]
    assert vectors == pytest.approx(np.array([[3, 8], [5, 2]]) / 17)


def test_an_item_that_counts_more_pulls_more() -> None:
    weighty = replace(DATA, weights=DATA.weights * np.array([3, 1, 1, 1, 1, 1], dtype=np.float32))
    _, vectors = similar_users.train(weighty, SimilarUsersParameters(), ARRAYS, regularization=1.0)
    # (3 + 1, 2 + 1) for user 0.
    assert vectors[0] == pytest.approx(np.array([21, 5]) / 17)
