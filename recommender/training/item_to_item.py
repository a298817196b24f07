"""Item-to-item weights: EASE in closed form where the catalogue allows it, sparse cosine above that.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019:
P = (XᵀX + λI)⁻¹, B = −P / diag(P) with a zero diagonal. Memory and time grow with items² and items³, so beyond
`dense_items_at_most` items with at least two users the cosine of co-occurrence takes over.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from recommender.training.neighbour_matrix import strongest_of_rows, strongest_of_sparse_rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemToItemParameters:
    """How neighbours are computed and cut."""

    regularization: float = 300.0
    """λ of EASE."""
    neighbours: int = 400
    """Entries kept for each item, by absolute weight."""
    dense_items_at_most: int = 12_000
    """4 bytes × items² are held three times: 1.7 GB at 12,000."""


def train(user_by_item: sparse.csr_matrix, parameters: ItemToItemParameters) -> sparse.csr_matrix:
    """Return (items, items) float32: row = item of the history, column = candidate, zero diagonal."""
    binary = sparse.csr_matrix(user_by_item, dtype=np.float32, copy=True)
    binary.data[:] = 1
    users_of_item = np.asarray(binary.getnnz(axis=0))
    # An item with a single user has no neighbours that this user's other items would not give as well.
    kept = np.flatnonzero(users_of_item >= 2)
    if not len(kept):
        weights = sparse.csr_matrix(np.zeros((0, 0), dtype=np.float32))
    elif len(kept) <= parameters.dense_items_at_most:
        weights = _ease(binary[:, kept], parameters)
    else:
        logger.info("item-to-item: cosine, %d items exceed %d", len(kept), parameters.dense_items_at_most)
        weights = _cosine(binary[:, kept], parameters)
    spread = weights.tocoo()
    n_items = binary.shape[1]
    return sparse.csr_matrix((spread.data, (kept[spread.row], kept[spread.col])), shape=(n_items, n_items))


def _ease(binary: sparse.csr_matrix, parameters: ItemToItemParameters) -> sparse.csr_matrix:
    gram: NDArray[np.float32] = (binary.T @ binary).toarray()
    gram[np.diag_indices_from(gram)] += parameters.regularization
    with threadpool_limits(limits=None, user_api="blas"):
        # The matrix is symmetric positive definite: Cholesky, then its inverse, half the work of a general inverse.
        factor, _ = linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
        inverse, info = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    if info:
        raise ArithmeticError(f"EASE: the inverse failed (LAPACK info {info}).")
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0)
    return strongest_of_rows(weights, parameters.neighbours)


def _cosine(binary: sparse.csr_matrix, parameters: ItemToItemParameters) -> sparse.csr_matrix:
    norms = np.sqrt(np.asarray(binary.getnnz(axis=0), dtype=np.float32))
    scaled = sparse.csr_matrix(binary @ sparse.diags(1 / norms))
    block = 2000
    blocks = []
    by_item = sparse.csr_matrix(scaled.T)
    for start in range(0, by_item.shape[0], block):
        similar = sparse.csr_matrix(by_item[start : start + block] @ scaled).tolil()
        similar.setdiag(0, k=start)
        blocks.append(strongest_of_sparse_rows(similar.tocsr(), parameters.neighbours))
    return sparse.csr_matrix(sparse.vstack(blocks))
