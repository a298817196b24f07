"""Items three steps away on the user-item graph, popular ones held back: the sparse model that fits any catalogue.

RP3β: Paudel, Christoffel, Newell and Bernstein, "Updatable, Accurate, Diverse, and Scalable Recommendations for
Interactive Applications", ACM TiiS 7(1), 2016. W = (D_i⁻¹ Xᵀ)^α (D_u⁻¹ X)^α ÷ popularity^β, powers by element.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.training.neighbour_matrix import strongest_of_sparse_rows

BLOCK = 1000
"""Items walked from at once: bounds the memory of the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomWalkParameters:
    """How the walk is bent and cut."""

    alpha: float = 1.0
    beta: float = 0.6
    neighbours: int = 200
    """Entries kept for each item."""


def train(user_by_item: sparse.csr_matrix, parameters: RandomWalkParameters) -> sparse.csr_matrix:
    """Return (items, items) float32: row = item of the history, column = candidate, zero diagonal."""
    taken = sparse.csr_matrix(user_by_item, dtype=np.float32, copy=True)
    taken.data[:] = 1
    users_of_item = np.maximum(np.asarray(taken.getnnz(axis=0)), 1).astype(np.float32)
    items_of_user = np.maximum(np.asarray(taken.getnnz(axis=1)), 1).astype(np.float32)
    to_user = sparse.csr_matrix(sparse.diags(users_of_item**-parameters.alpha) @ taken.T)
    to_item = sparse.diags(items_of_user**-parameters.alpha) @ taken @ sparse.diags(users_of_item**-parameters.beta)
    to_item = sparse.csr_matrix(to_item, dtype=np.float32)
    blocks = []
    for start in range(0, taken.shape[1], BLOCK):
        walked = sparse.csr_matrix(to_user[start : start + BLOCK] @ to_item, dtype=np.float32)
        itself = walked.indices == np.repeat(np.arange(walked.shape[0]) + start, np.diff(walked.indptr))
        walked.data[itself] = 0
        walked.eliminate_zeros()
        blocks.append(strongest_of_sparse_rows(walked, parameters.neighbours))
    return sparse.csr_matrix(sparse.vstack(blocks), dtype=np.float32)
