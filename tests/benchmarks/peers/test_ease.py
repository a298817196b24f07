from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from tests.benchmarks.peers import ease


def test_two_items_by_hand() -> None:
    """XᵀX + I = [[3, 1], [1, 2]], so P = [[2, −1], [−1, 3]] / 5 and B₀₁ = −P₀₁ / P₁₁ = 1/3: b's score of item 1."""
    taken = sparse.csr_matrix(np.array([[1, 1], [1, 0]], dtype=np.float32))
    assert ease.unseen_scores(taken, 1.0)[1, 1] == pytest.approx(1 / 3)


def test_it_is_the_closed_form_over_items() -> None:
    """Equation 8 as it stands, on a matrix with more items than users."""
    taken = (np.random.default_rng(1).random((5, 8)) < 0.4).astype(np.float32)
    precision = np.linalg.inv(taken.T @ taken + 2.5 * np.eye(8))
    weights = precision / -np.diag(precision)
    np.fill_diagonal(weights, 0)
    unseen = taken == 0
    found = ease.unseen_scores(sparse.csr_matrix(taken), 2.5)
    assert found[unseen] == pytest.approx((taken @ weights)[unseen])
