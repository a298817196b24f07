"""Item-to-item weights: EASE in closed form, for as many items as fit in memory.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019:
P = (XᵀX + λI)⁻¹, B = −P / diag(P) with a zero diagonal. Memory and time grow with items² and items³, so a large
catalogue's rarest items are left to the sparse models (`random_walk`, `session`, `content`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from recommender.arrays import FloatArray
from recommender.training import neighbour_matrix
from recommender.training.dataset import Interactions
from recommender.training.dense_items import dense_items
from recommender.training.neighbour_matrix import strongest_of_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToItemParameters:
    """How neighbours are computed and cut."""

    regularization: float = 300.0
    """λ of EASE."""
    user_exponent: float = 0.0
    """A user with n items counts n^-exponent, brought to a mean of 1: above 0, heavy users say less about each pair."""
    neighbours: int = 400
    """Entries kept for each item, by absolute weight."""


def train(data: Interactions, parameters: ItemToItemParameters) -> sparse.csr_matrix:
    """Return (items, items) float32: row = item of the history, column = candidate, zero diagonal."""
    items = dense_items(data, matrices=3)
    return solve(gram(data, items, parameters.user_exponent), items, parameters, data.n_items)


def gram(data: Interactions, items: np.ndarray, user_exponent: float) -> FloatArray:
    """Return (n, n) float32: over users, how often two of `items` were taken together."""
    taken = data.matrix()[:, items]
    taken.data[:] = 1
    length = np.maximum(taken.getnnz(axis=1), 1).astype(np.float64) ** -user_exponent
    # Brought to a mean of 1 over the events, so that λ means the same whatever the exponent.
    length /= max(np.average(length, weights=taken.getnnz(axis=1)) if taken.nnz else 1.0, 1e-12)
    scaled = sparse.csr_matrix(sparse.diags(np.sqrt(length).astype(np.float32)) @ taken)
    return np.asarray((scaled.T @ scaled).toarray(), dtype=np.float32)


def solve(together: FloatArray, items: np.ndarray, parameters: ItemToItemParameters, n_items: int) -> sparse.csr_matrix:
    """Return the weights of a gram matrix for this λ; `together` is not changed."""
    shape = (n_items, n_items)
    if not len(items):
        return neighbour_matrix.empty(n_items)
    system = together.copy()
    system[np.diag_indices_from(system)] += parameters.regularization
    with threadpool_limits(limits=None, user_api="blas"):
        # The matrix is symmetric positive definite: Cholesky, then its inverse, half the work of a general inverse.
        factor, _ = linalg.cho_factor(system, lower=True, overwrite_a=True, check_finite=False)
        inverse, info = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        raise ArithmeticError(f"EASE: the inverse failed (LAPACK info {info}).")
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0)
    found = strongest_of_rows(weights, parameters.neighbours).tocoo()
    return sparse.csr_matrix((found.data, (items[found.row], items[found.col])), shape=shape)
