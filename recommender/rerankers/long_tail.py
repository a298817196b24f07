"""Prefers what fewer people have taken, among items of nearly the same score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.contracts import Candidates, Query
from recommender.rerankers.diversity import Diversity
from recommender.rerankers.strength import Strength


class LongTail(Diversity):
    """Orders the pool by z(score) − strength · z(ln(1 + popularity)), each standardised over the pool.

    Popularity is what the model counted; an item newer than the model counts as taken by nobody.
    """

    name = "long_tail"

    def __init__(self, strength: Strength = 0.2, pool: int = 100) -> None:
        super().__init__(strength, pool)

    def enabled(self, query: Query) -> bool:
        return query.model is not None

    def choose(self, query: Query, pool: Candidates, n: int, strength: float) -> Sequence[int]:
        assert query.model is not None  # noqa: S101 -- `enabled` said so
        popularity = np.log1p(np.nan_to_num(query.model.popularity[pool.rows]))
        worth = _standardised(pool.score) - strength * _standardised(popularity)
        chosen: list[int] = np.argsort(-worth, kind="stable")[:n].tolist()
        return chosen


def _standardised(values: NDArray[Any]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = values - values.mean(dtype=np.float64)
    spread = float(centred.std())
    return centred / (spread or 1.0)
