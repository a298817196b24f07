"""What approximate indexes have in common: a few candidates found quickly, then scored exactly."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from recommender.vector_index.base import Exclusion, Rows, Scores, VectorIndex, Vectors, excluded_mask
from recommender.vector_index.brute_force import ExactIndex, best_rows, score


class ApproximateIndex(VectorIndex):
    """Candidates from somewhere, scores from the stored vectors."""

    exact = False

    def __init__(self, reference: ExactIndex) -> None:
        """Take the exact index over the same vectors: it scores the candidates, and answers where they run out."""
        self.reference = reference
        self.vectors, self.metric = reference.vectors, reference.metric
        self.rows, self.factors = reference.rows, reference.factors

    @abstractmethod
    def candidates(self, query: Vectors, wanted: int) -> Rows:
        """Return distinct rows near `query`, (factors,) float32, ascending; `wanted`, 1 or more, if it can."""

    def search(self, query: Vectors, k: int, *, exclude: Exclusion | None = None) -> tuple[Rows, Scores]:
        vector = self.checked_query(query, k)
        mask = excluded_mask(exclude, self.rows)
        excluded = 0 if mask is None else int(np.count_nonzero(mask))
        due = min(k, self.rows - excluded)
        wanted = due + excluded
        if not wanted or 2 * wanted > self.rows:
            # Most of all rows are scanned faster than they are looked up.
            return self.reference.search(vector, k, exclude=mask)
        found = self.candidates(vector, wanted)
        if mask is not None:
            found = found[~mask[found]]
        if len(found) < due:
            # It gave up before enough distinct rows were met; a short answer would break the promise of k'.
            return self.reference.search(vector, k, exclude=mask)
        scores = score(self.vectors[found], vector, self.metric)
        best = best_rows(scores, due)
        return found[best], scores[best]
