"""Keeps one category from filling the list."""

from __future__ import annotations

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker
from recommender.rerankers.strength import Strength, checked, resolve


class CategoryDiversity(Reranker):
    """Each further item of a category counts a little less.

    The k-th best item of its category (k from 0) keeps 1 − strength · (1 − decay^k) of its score, so that the loss of
    a long-lived category is bounded by `strength`. The same idea as author diversity in xai-org/x-algorithm.
    Items without a category are left alone: they need not be alike.

    Parameters
    ----------
    strength
        0 changes nothing, 1 lets a category's later items fall to nothing; "tuned" is what the rebuild found.
    decay
        How quickly that loss is reached, 0..1.
    """

    name = "category_diversity"

    def __init__(self, strength: Strength = 0.1, decay: float = 0.8) -> None:
        self.strength = checked(strength)
        self.decay = decay

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        strength = resolve(query, self.name, self.strength)
        if strength == 0 or not len(candidates):
            return candidates
        codes = query.catalogue.category_codes[candidates.rows]
        by_category = np.argsort(codes, kind="stable")
        grouped = codes[by_category]
        starts = np.flatnonzero(np.concatenate(([True], grouped[1:] != grouped[:-1])))
        rank = np.empty(len(codes), dtype=np.int64)
        rank[by_category] = np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))
        if "" in query.catalogue.categories:
            rank[codes == query.catalogue.categories.index("")] = 0
        keep = 1 - strength * (1 - self.decay**rank)
        score = (candidates.score * keep).astype(np.float32)
        order = np.argsort(-score, kind="stable")
        reordered = candidates.take(order)
        reordered.score = score[order]
        return reordered
