"""Implicit-feedback matrix factorisation by alternating least squares (the `implicit` library).

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", 2008.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from implicit.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommender import conf

PARALLEL_FROM = 100_000
"""Pairs. Threads that wait for each other spin: on a busy machine a tiny data set took seconds instead of 8 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlsParameters:
    """Hyper-parameters, in implicit's terms."""

    factors: int = 64
    regularization: float = 1.0
    alpha: float = 1.0
    """Confidence of one unit of training weight."""
    iterations: int = 15


def train(user_by_item: sparse.csr_matrix, parameters: AlsParameters, seed: int) -> NDArray[np.float32]:
    """Return (items, factors) float32 item factors; items without interactions are all zero.

    User factors are not kept: a user is folded in from his history at request time.
    """
    # More than one BLAS thread fights with implicit's own (its documentation warns of it, and the model itself).
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=min(parameters.factors, *user_by_item.shape),
            regularization=parameters.regularization,
            alpha=parameters.alpha,
            iterations=parameters.iterations,
            random_state=seed,
            num_threads=1 if user_by_item.nnz < PARALLEL_FROM else threads(),
        )
        model.fit(user_by_item, show_progress=False)
    factors = np.asarray(model.item_factors, dtype=np.float32).copy()
    factors[np.asarray(user_by_item.getnnz(axis=0)) == 0] = 0
    return factors


def threads() -> int:
    """Return RECOMMENDER_TRAINING_THREADS; where it is 0, the number of processors this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(conf.get("TRAINING_THREADS")) or allowed
