from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from recommender.training.item_to_item import ItemToItemParameters, train

# Users × items: every item has at least two users.
SEEN = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]])


def weights(seen: ArrayLike, **parameters: float) -> NDArray[np.float32]:
    matrix = sparse.csr_matrix(np.array(seen, dtype=np.float32))
    trained = train(matrix, ItemToItemParameters(**parameters))  # type: ignore[arg-type] # mixed int and float
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
    assert weights(SEEN, regularization=1.0) == pytest.approx(np.array(by_hand), abs=1e-6)


def test_larger_sets_agree_with_the_closed_formula_too() -> None:
    seen = (np.random.default_rng(1).random((60, 12)) < 0.3).astype(np.int64)
    assert weights(seen, regularization=20.0) == pytest.approx(ease(seen, 20.0), abs=1e-5)


def test_what_counts_is_who_took_it_not_how_much() -> None:
    assert weights(SEEN * 1.7, regularization=1.0) == pytest.approx(weights(SEEN, regularization=1.0))


def test_an_item_of_a_single_user_has_no_neighbours() -> None:
    lonely = np.column_stack([SEEN[:, :1], [0, 0, 0, 1], SEEN[:, 1:]])
    trained = weights(lonely, regularization=1.0)
    assert not trained[1].any()
    assert not trained[:, 1].any()
    assert trained[np.ix_([0, 2, 3], [0, 2, 3])] == pytest.approx(ease(SEEN, 1.0), abs=1e-6)


def test_nobody_shares_anything() -> None:
    assert not weights(np.eye(3)).any()


def test_only_the_strongest_weights_are_kept_negative_ones_too() -> None:
    seen = (np.random.default_rng(19).random((60, 8)) < 0.25).astype(np.int64)
    full = ease(seen, 1.0)
    trained = weights(seen, regularization=1.0, neighbours=3)
    assert (np.count_nonzero(trained, axis=1) == 3).all()
    for row in range(8):
        strongest = np.argsort(-np.abs(full[row]))[:3]
        assert trained[row, strongest] == pytest.approx(full[row, strongest], abs=1e-5)
    assert (trained < 0).any()


def test_above_the_dense_limit_cosine_takes_over() -> None:
    trained = weights(SEEN, dense_items_at_most=2)
    # Common users over the root of both counts (3, 3 and 2 users): 2/3, 1/√6 and 2/√6.
    expected = np.array([[0, 2 / 3, 1 / 6**0.5], [2 / 3, 0, 2 / 6**0.5], [1 / 6**0.5, 2 / 6**0.5, 0]])
    assert trained == pytest.approx(expected, abs=1e-6)


def test_cosine_keeps_the_strongest_too() -> None:
    trained = weights(SEEN, dense_items_at_most=2, neighbours=1)
    assert trained == pytest.approx(np.array([[0, 2 / 3, 0], [0, 0, 2 / 6**0.5], [0, 2 / 6**0.5, 0]]), abs=1e-6)
