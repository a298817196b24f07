"""The order that the rebuild found best on this site's own data: learned, blended, or one source alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Without
from recommender.ranking import learned
from recommender.ranking.blend import of_z
from recommender.ranking.features import Compared, Items
from recommender.scorers.weighted_blend import WeightedBlend, as_probability


class TunedRanking(WeightedBlend):
    """What `meta["ranking"]` of the model version says; the recipe's weights for a version that was never tuned.

    A learned score is the probability that the candidate is taken; blends and single sources score as `WeightedBlend`.
    """

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        ranking = _ranking(query)
        if ranking is None or not len(candidates):
            return super().score(query, candidates)
        # The explanations split the linear part, whatever has the last word.
        query.scratch[self.name] = WeightedBlend(ranking["weights"]).shares(candidates)
        if ranking["kind"] != "learned":
            return WeightedBlend(ranking["weights"]).score(query, candidates)
        return _learned([query], [candidates])[0]

    def scores_without(self, reduced: Sequence[Without], candidates: Sequence[Candidates]) -> list[FloatArray]:
        ranking = _ranking(reduced[0].query)
        if ranking is None or ranking["kind"] != "learned":
            return super().scores_without(reduced, candidates)
        return _learned([one.query for one in reduced], candidates)


def _ranking(query: Query) -> dict[str, Any] | None:
    """Return what the model version says of its ranking; None without one, and for somebody without a history."""
    if query.model is None or not len(query.history.rows):
        return None
    ranking: dict[str, Any] | None = query.model.bundle.meta.get("ranking")
    return ranking


def _learned(queries: Sequence[Query], requests: Sequence[Candidates]) -> list[FloatArray]:
    """Return (n,) float32 by request, all of the same candidates; the queries differ in their history alone."""
    model = queries[0].model
    assert model is not None  # noqa: S101 -- it has a ranking
    ranking, trees = model.bundle.meta["ranking"], learned.of(model.bundle)
    items = Items.of(queries[0], requests[0].rows)
    newer = model.row_in_model[requests[0].rows] < 0
    heads, blends, rows, log_odds = [], [], [], []
    for query, compared in zip(queries, Compared.of(requests, ranking["columns"]), strict=True):
        blended = of_z(compared.known_z(newer).T, ranking["columns"], ranking["weights"])
        deviation = blended - blended.mean()
        spread = deviation.std()
        standardised = deviation / spread if spread > 0 else deviation
        head = np.argsort(-standardised, kind="stable")[: learned.HEAD]
        heads.append(head)
        blends.append(standardised[head])
        rows.append(compared.features(query, items, head))
        log_odds.append(trees.linear(standardised))
    corrected = trees.predict(np.concatenate(blends), np.concatenate(rows)).reshape(len(queries), -1)
    for linear, head, with_trees in zip(log_odds, heads, corrected, strict=True):
        linear[head] = with_trees
    return [as_probability(one) for one in log_odds]
