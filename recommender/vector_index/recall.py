"""How much an approximate index misses."""

from __future__ import annotations

import numpy as np

from recommender.vector_index.base import VectorIndex, Vectors, unit_rows
from recommender.vector_index.brute_force import ExactIndex


def recall_at_k(index: VectorIndex, vectors: Vectors, queries: Vectors, k: int = 10) -> float:
    """Return the share of the exact k nearest that `index` finds, averaged over `queries`; 0..1.

    A returned row counts when it scores at least as high as the exact k-th: which of several equal vectors is
    returned makes no difference to anybody.

    Parameters
    ----------
    vectors
        (rows, factors) float32, those the index was built from.
    queries
        (n, factors) float32, a sample; n of 1 or more.
    """
    if not len(queries):
        raise ValueError("Recall needs at least one query.")
    if index.rows != len(vectors):
        raise ValueError(f"The index has {index.rows} rows, {len(vectors)} vectors were given.")
    due = min(k, index.rows)
    if not due:
        return 1.0
    stored = np.ascontiguousarray(vectors, dtype=np.float32)
    reference = ExactIndex(stored if index.metric == "dot" else unit_rows(stored), index.metric)
    shares = []
    for query in queries:
        threshold = reference.search(query, due)[1][-1]
        tolerance = 1e-5 * max(1.0, abs(float(threshold)))
        shares.append(np.count_nonzero(index.search(query, due)[1] >= threshold - tolerance) / due)
    return float(np.mean(shares))
