"""Lifts what has come out lately."""

from __future__ import annotations

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker

SECONDS_A_DAY = 86_400.0


class Freshness(Reranker):
    """score · (1 − share + share · 0.5^(age / half-life)), where share = strength / (1 + strength).

    The age is counted in days from publication. An item of today keeps its score, an old one loses the share, and one
    as old as the half-life half of that. Without a date of publication an item counts as old. A placement that states a
    `freshness` of its own has that as the share.

    Parameters
    ----------
    half_life_days
        Above 0.
    strength
        Gain of a new item over an old one, 0 or more: 0.2 is 20 %. 0 leaves the list alone.
    """

    name = "freshness"

    def __init__(self, half_life_days: float = 30.0, strength: float = 0.2) -> None:
        if half_life_days <= 0 or strength < 0:
            message = f"half_life_days must be above 0 and strength 0 or more, not {half_life_days!r} and {strength!r}"
            raise ValueError(message)
        self.half_life_days = half_life_days
        self.strength = strength

    def enabled(self, query: Query) -> bool:
        return self._share(query) > 0

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        age_days = (query.now - query.catalogue.published_at[candidates.rows]) / SECONDS_A_DAY
        fresh = np.nan_to_num(0.5 ** (np.maximum(age_days, 0) / self.half_life_days))
        share = self._share(query)
        score = (candidates.score * (1 - share + share * fresh)).astype(np.float32)
        order = np.argsort(np.where(np.isfinite(score), -score, np.inf), kind="stable")
        reordered = candidates.take(order)
        reordered.score = score[order]
        return reordered

    def _share(self, query: Query) -> float:
        return self.strength / (1 + self.strength) if query.freshness is None else query.freshness
