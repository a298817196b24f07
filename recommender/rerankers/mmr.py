"""Maximal marginal relevance: each next item is good and unlike what already stands above it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.rerankers.diversity import relevance
from recommender.rerankers.similarity import BySimilarity, unit_vectors


class Mmr(BySimilarity):
    """Next comes the item with the highest (1 − strength) · relevance − strength · max(0, highest cosine to a chosen).

    Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries", SIGIR 1998, with λ = 1 − strength. Ties go to the better score.
    """

    name = "mmr"

    def choose(self, query: Query, pool: Candidates, n: int, strength: float) -> Sequence[int]:
        vectors = unit_vectors(query, pool.rows, self.by)
        worth = (1 - strength) * relevance(pool)
        closest = np.zeros(len(pool), dtype=np.float32)
        chosen: list[int] = []
        for _ in range(n):
            best = int(np.argmax(worth - strength * closest))
            chosen.append(best)
            worth[best] = -np.inf
            np.maximum(closest, vectors @ vectors[best], out=closest)
        return chosen
