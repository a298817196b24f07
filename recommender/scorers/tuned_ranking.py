"""The order that the rebuild found best on this site's own data: learned, blended, or one source alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Without
from recommender.ranking import learned
from recommender.ranking.features import Compared, Items
from recommender.scorers.weighted_blend import SCALE, WeightedBlend, as_probability


class TunedRanking(WeightedBlend):
    """What `meta["ranking"]` of the model version says; the recipe's weights for a version that was never tuned.

    A learned score is the probability that the candidate is taken; blends and single sources score as `WeightedBlend`.
    """

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        ranking = _ranking(query)
        if ranking is None or not len(candidates):
            return super().score(query, candidates)
        if ranking["kind"] != "learned":
            tuned = WeightedBlend(ranking["weights"])
            # The explanations split the linear part, whatever has the last word.
            query.scratch[self.name] = tuned.shares(candidates)
            return tuned.score(query, candidates)
        return _learned([query], [candidates], None)[0]

    def scores_without(
        self, reduced: Sequence[Without], candidates: Sequence[Candidates], shown: RowArray
    ) -> list[FloatArray]:
        ranking = _ranking(reduced[0].query)
        if ranking is None or ranking["kind"] != "learned":
            return super().scores_without(reduced, candidates, shown)
        return _learned([one.query for one in reduced], candidates, shown)


def _ranking(query: Query) -> dict[str, Any] | None:
    """Return what the model version says of its ranking; None without one, and for somebody without a history."""
    if query.model is None or not len(query.history.rows):
        return None
    ranking: dict[str, Any] | None = query.model.bundle.meta.get("ranking")
    return ranking


def _learned(queries: Sequence[Query], requests: Sequence[Candidates], shown: RowArray | None) -> list[FloatArray]:
    """Return (n,) float32 by request, all of the same candidates; the queries differ in their history alone.

    The trees correct the places `shown` only, where it is given.
    """
    model = queries[0].model
    assert model is not None  # noqa: S101 -- it has a ranking
    ranking, trees, rows = model.bundle.meta["ranking"], learned.of(model.bundle), requests[0].rows
    columns, items = ranking["columns"], Items.of(queries[0], rows)
    weights = np.array([ranking["weights"].get(name, 0.0) for name in columns], dtype=np.float32)
    compared = Compared.of(requests, columns)
    blended = weights @ compared.known_z(model.row_in_model[rows] < 0)
    mean, spread = blended.mean(axis=1, keepdims=True), blended.std(axis=1, keepdims=True)
    spread = np.where(spread > 0, spread, 1)
    standardised = (blended - mean) / spread
    log_odds = trees.linear(standardised)
    heads, features = [], []
    for request, query in enumerate(queries):
        head = np.argsort(-standardised[request], kind="stable")[: learned.HEAD]
        if shown is not None:
            head = np.intersect1d(head, shown, assume_unique=True)
        heads.append(head)
        features.append(compared.features(request, query, items, head))
        per_z = trees.slope * weights / spread[request]
        query.scratch[TunedRanking.name] = {
            name: (float(factor / spread_of), float(mean_of))
            for name, factor, spread_of, mean_of in zip(
                columns, per_z, compared.spread[request, :, 0], compared.mean[request, :, 0], strict=True
            )
            if factor != 0 and spread_of > 0
        }
        query.scratch[SCALE] = trees.intercept, abs(trees.slope)
    corrected = trees.predict(
        np.concatenate([standardised[request][head] for request, head in enumerate(heads)]), np.concatenate(features)
    )
    ends = np.cumsum([len(head) for head in heads])
    for linear, head, with_trees in zip(log_odds, heads, np.split(corrected, ends[:-1]), strict=True):
        linear[head] = with_trees
    return list(as_probability(log_odds))
