"""Base of the re-rankers that trade relevance for variety, with one number that an editor can set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker
from recommender.rerankers.strength import Strength, checked, resolve


class Diversity(Reranker):
    """Chooses what comes first; what is not chosen follows in its old order.

    Places keep their scores and items move: what stands third has the third-best score, whatever it had before. So the
    scores still fall along the list, and a boost by an editor means as much as it did before.

    Parameters
    ----------
    strength
        0 leaves the list alone, and so does "tuned" with a model that was never tuned. A placement (or a variant of an
        experiment) that states a `diversity` of its own has that instead.
    pool
        How many of the best candidates may be chosen.
    """

    def __init__(self, strength: Strength = 0.1, pool: int = 200) -> None:
        if pool < 1:
            raise ValueError(f"pool must be 1 or more, not {pool!r}")
        self.strength = checked(strength)
        self.pool = pool

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        strength = resolve(query, self.name, self.strength) if query.diversity is None else query.diversity
        scored = int(np.count_nonzero(np.isfinite(candidates.score)))
        if strength == 0 or scored < 2:
            return candidates
        pool = candidates.take(np.arange(min(self.pool, scored)))
        first = np.array(self.choose(query, pool, min(query.limit, len(pool)), strength), dtype=np.int64)
        left = np.ones(len(candidates), dtype=bool)
        left[first] = False
        reordered = candidates.take(np.concatenate([first, np.flatnonzero(left)]))
        reordered.score = candidates.score
        return reordered

    @abstractmethod
    def choose(self, query: Query, pool: Candidates, n: int, strength: float) -> Sequence[int]:
        """Return at most `n` distinct positions in `pool`, which is best first and scored throughout."""


def relevance(pool: Candidates) -> FloatArray:
    """Return (n,) the scores brought to 0..1 by the best and the worst of `pool`, so that any scorer's mean the same.

    Scores that are all equal become 1.
    """
    low, high = float(pool.score[-1]), float(pool.score[0])
    scaled = (pool.score - low) / (high - low) if high > low else np.ones_like(pool.score)
    return scaled.astype(np.float32)
