"""The n best of a score vector."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray, RowArray


def top_rows(scores: FloatArray, n: int) -> RowArray:
    """Return the positions of the `n` highest finite scores, best first; ties in ascending position."""
    n = min(n, len(scores))
    if n <= 0:
        return np.empty(0, dtype=np.int64)
    descending = np.where(np.isfinite(scores), -scores, np.inf)
    # Everything at least as good as the n-th: which of many equals is returned does not depend on the partition.
    due = descending <= np.partition(descending, n - 1)[n - 1] if n < len(scores) else np.isfinite(scores)
    best = np.flatnonzero(due & (descending < np.inf))
    return best[np.argsort(descending[best], kind="stable")[:n]]
