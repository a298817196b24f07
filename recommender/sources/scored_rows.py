"""Scores of the few items that a source knows: its work then does not grow with the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.sources.top_rows import top_rows


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Some rows and their scores."""

    rows: RowArray
    """(n,) ascending, distinct."""
    scores: FloatArray
    """(n,) float32, finite."""

    def best(self, n: int) -> RowArray:
        """Return the `n` rows with the highest scores, best first; ties in ascending order."""
        return self.rows[top_rows(self.scores, n)]

    def of(self, rows: RowArray, unknown: float = np.nan) -> FloatArray:
        """Return (len(rows),) float32, the score of each row, `unknown` where there is none."""
        if not len(self.rows):
            return np.full(len(rows), unknown, dtype=np.float32)
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[places] == rows, self.scores[places], np.float32(unknown)).astype(np.float32)
