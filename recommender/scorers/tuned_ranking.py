"""The order that the rebuild found best on this site's own data: learned, blended, or one source alone."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.ranking import learned
from recommender.ranking.blend import of_z
from recommender.ranking.features import features
from recommender.scorers.weighted_blend import WeightedBlend, as_probability


class TunedRanking(WeightedBlend):
    """What `meta["ranking"]` of the model version says; the recipe's weights for a version that was never tuned.

    A learned score is the probability that the candidate is taken; blends and single sources score as `WeightedBlend`.
    """

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        ranking = query.model.bundle.meta.get("ranking") if query.model is not None else None
        if ranking is None or not len(query.history.rows) or not len(candidates):
            return super().score(query, candidates)
        # The explanations split the linear part, whatever has the last word.
        query.scratch[self.name] = WeightedBlend(ranking["weights"]).shares(candidates)
        if ranking["kind"] != "learned":
            return WeightedBlend(ranking["weights"]).score(query, candidates)
        assert query.model is not None  # noqa: S101 -- it has a ranking
        rows = features(query, candidates, ranking["columns"])
        blended = of_z(np.nan_to_num(rows[:, : len(ranking["columns"])]), ranking["columns"], ranking["weights"])
        deviation = blended - blended.mean()
        spread = deviation.std()
        standardised = deviation / spread if spread > 0 else deviation
        trees = learned.of(query.model.bundle)
        log_odds = trees.linear(standardised)
        head = np.argsort(-standardised, kind="stable")[: learned.HEAD]
        log_odds[head] = trees.predict(standardised[head], rows[head])
        return as_probability(log_odds)
