"""Determinantal point process: the list whose items together span most, greedily."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.rerankers.diversity import relevance
from recommender.rerankers.similarity import BySimilarity, unit_vectors

OWN = 0.01
"""Share of an item that is its own however alike another one is: keeps the kernel regular and duplicates possible."""


class Dpp(BySimilarity):
    """Next comes the item with the highest (1 − strength) · relevance + strength · ln d².

    d² = 1 for the first and then what is left of the item's squared length beyond the span of the chosen ones, kept up
    by an incremental Cholesky factorisation: Chen, Zhang and Zhou, "Fast Greedy MAP Inference for Determinantal Point
    Process", NeurIPS 2018, algorithm 1, for their θ Σ relevance + (1 − θ) ln det S with θ = 1 − strength and the
    cosines S, those of different items times 1 − OWN. Unlike MMR it sees what several items together have covered.
    """

    name = "dpp"

    def choose(self, query: Query, pool: Candidates, n: int, strength: float) -> Sequence[int]:
        vectors = unit_vectors(query, pool.rows, self.by)
        worth = (1 - strength) * relevance(pool).astype(np.float64)
        left = np.ones(len(pool))
        cholesky = np.empty((n, len(pool)))
        chosen: list[int] = []
        for step in range(n):
            best = int(np.argmax(worth + strength * np.log(left)))
            chosen.append(best)
            shared = (1 - OWN) * (vectors @ vectors[best]) - cholesky[:step, best] @ cholesky[:step]
            cholesky[step] = shared / np.sqrt(left[best])
            # Of the chosen ones themselves nothing is left; they are out of the running by their worth.
            left = np.maximum(left - cholesky[step] ** 2, np.finfo(np.float64).tiny)
            worth[best] = -np.inf
        return chosen
