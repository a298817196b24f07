"""The n best of a score vector."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray, RowArray


def top_rows(scores: FloatArray, n: int) -> RowArray:
    """Return the positions of the `n` highest finite scores, best first; ties in ascending position."""
    n = min(n, len(scores))
    if n <= 0:
        return np.empty(0, dtype=np.int64)
    descending = -scores
    # nan sorts last. Everything at least as good as the n-th: which of many equals is returned does not depend on the
    # partition.
    nth = np.partition(descending, n - 1)[n - 1]
    best = np.flatnonzero(descending <= nth if np.isfinite(nth) else np.isfinite(descending))
    return best[np.argsort(descending[best], kind="stable")[:n]]
