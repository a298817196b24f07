"""The order that the rebuild found best on this site's own data: learned, blended, or one source alone."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.ranking import learned
from recommender.ranking.features import features
from recommender.scorers.weighted_blend import WeightedBlend


class TunedRanking(WeightedBlend):
    """What `meta["ranking"]` of the model version says; the recipe's weights for a version that was never tuned.

    A learned score is the trees' log-odds as a probability; blends and single sources score as `WeightedBlend`.
    """

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        ranking = query.model.bundle.meta.get("ranking") if query.model is not None else None
        if ranking is None or not len(query.history.rows):
            return super().score(query, candidates)
        # The explanations split the linear part, whatever has the last word.
        query.scratch[self.name] = WeightedBlend(ranking["weights"]).shares(candidates)
        if ranking["kind"] != "learned":
            return WeightedBlend(ranking["weights"]).score(query, candidates)
        assert query.model is not None  # noqa: S101 -- it has a ranking
        rows = features(query, candidates, ranking["columns"])
        log_odds = learned.predict(learned.of(query.model.bundle), rows)
        return (1 / (1 + np.exp(-log_odds.astype(np.float64)))).astype(np.float32)
