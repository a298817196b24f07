from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from pytest_django import Settings

from recommender.training.dataset import Interactions
from recommender.training.item_to_item import ItemToItemParameters, gram, train
from tests.recommender.worlds import interactions_of

# Users × items: every item has at least two users.
SEEN = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]])


def taken(seen: ArrayLike) -> Interactions:
    dense = np.array(seen)
    pairs = zip(*np.nonzero(dense), strict=True)
    return interactions_of(*((int(user), int(item)) for user, item in pairs), n_items=dense.shape[1])


def weights(data: Interactions, **parameters: float) -> NDArray[np.float32]:
    trained = train(data, ItemToItemParameters(**parameters))  # type: ignore[arg-type] # mixed int and float
    assert trained.dtype == np.float32
    dense: NDArray[np.float32] = trained.toarray()
    return dense


def ease(seen: NDArray[np.int64], regularization: float) -> NDArray[np.float64]:
    """Return B of Steck (2019): P = (XᵀX + λI)⁻¹, B_ij = −P_ij / P_jj, zero diagonal."""
    inverse = np.linalg.inv(seen.T @ seen + regularization * np.eye(seen.shape[1]))
    solution: NDArray[np.float64] = -inverse / np.diag(inverse)
    np.fill_diagonal(solution, 0)
    return solution


def test_weights_are_those_of_the_closed_formula() -> None:
    # G + λI with λ = 1 is [[4, 2, 1], [2, 4, 2], [1, 2, 3]]; its determinant is 24 and its cofactors
    # [[8, −4, 0], [−4, 11, −6], [0, −6, 12]], so B_ij = −cofactor_ij / cofactor_jj.
    by_hand = [[0, 4 / 11, 0], [4 / 8, 0, 6 / 12], [0, 6 / 11, 0]]
    assert ease(SEEN, 1.0) == pytest.approx(np.array(by_hand))
    assert weights(taken(SEEN), regularization=1.0) == pytest.approx(np.array(by_hand), abs=1e-6)


def test_larger_sets_agree_with_the_closed_formula_too() -> None:
    seen = (np.random.default_rng(1).random((60, 12)) < 0.3).astype(np.int64)
    assert weights(taken(seen), regularization=20.0) == pytest.approx(ease(seen, 20.0), abs=1e-5)


def test_what_counts_is_who_took_it_not_how_much() -> None:
    data = taken(SEEN)
    loved = replace(data, weights=data.weights * np.float32(1.7))
    assert weights(loved, regularization=1.0) == pytest.approx(weights(data, regularization=1.0))


def test_with_an_exponent_a_heavy_users_pairs_count_less() -> None:
    # Users of 2, 3, 2 and 1 items; by the power −1 they count 1/2, 1/3, 1/2 and 1. Over the eight events that is a
    # mean of (2/2 + 3/3 + 2/2 + 1) / 8 = 1/2, brought to 1: they count 1, 2/3, 1 and 2.
    found = gram(taken(SEEN), np.arange(3), user_exponent=1.0)
    both, middle, last = 1 + 2 / 3, 1 + 2 / 3, 1 + 2 / 3
    expected = [[1 + 2 / 3 + 2, both, 2 / 3], [both, 1 + 2 / 3 + 1, middle], [2 / 3, middle, last]]
    assert found == pytest.approx(np.array(expected))
    assert gram(taken(SEEN), np.arange(3), user_exponent=0.0).tolist() == (SEEN.T @ SEEN).tolist()


def test_an_item_of_a_single_user_has_no_neighbours() -> None:
    lonely = np.column_stack([SEEN[:, :1], [0, 0, 0, 1], SEEN[:, 1:]])
    trained = weights(taken(lonely), regularization=1.0)
    assert not trained[1].any()
    assert not trained[:, 1].any()
    assert trained[np.ix_([0, 2, 3], [0, 2, 3])] == pytest.approx(ease(SEEN, 1.0), abs=1e-6)


def test_nobody_shares_anything() -> None:
    assert not weights(taken(np.eye(3))).any()


def test_only_the_strongest_weights_are_kept_negative_ones_too() -> None:
    seen = (np.random.default_rng(19).random((60, 8)) < 0.25).astype(np.int64)
    full = ease(seen, 1.0)
    trained = weights(taken(seen), regularization=1.0, neighbours=3)
    assert (np.count_nonzero(trained, axis=1) == 3).all()
    for row in range(8):
        strongest = np.argsort(-np.abs(full[row]))[:3]
        assert trained[row, strongest] == pytest.approx(full[row, strongest], abs=1e-5)
    assert (trained < 0).any()


def test_beyond_the_limit_the_rarest_items_have_no_neighbours(settings: Settings) -> None:
    settings.RECOMMENDER_DENSE_ITEMS_AT_MOST = 2
    # Three users took the first two items, two the last: it is left to the sparse models.
    trained = weights(taken(SEEN), regularization=1.0)
    assert trained[:2, :2] == pytest.approx(ease(SEEN[:, :2], 1.0), abs=1e-6)
    assert not trained[2].any()
    assert not trained[:, 2].any()
