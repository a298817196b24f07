"""The n best of a score vector."""

from __future__ import annotations

import numpy as np

from recommender.contracts import FloatArray, RowArray


def top_rows(scores: FloatArray, n: int) -> RowArray:
    """Return the positions of the `n` highest finite scores, best first; ties in ascending position."""
    n = min(n, len(scores))
    if n <= 0:
        return np.empty(0, dtype=np.int64)
    ranked = np.where(np.isfinite(scores), scores, -np.inf)
    best = np.argpartition(-ranked, n - 1)[:n] if n < len(ranked) else np.arange(len(ranked))
    best = best[np.lexsort((best, -ranked[best]))]
    return best[np.isfinite(ranked[best])].astype(np.int64)
