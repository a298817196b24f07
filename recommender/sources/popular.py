"""What most people take: the list that can always answer."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source


class Popular(Source):
    """log(1 + rolling, decayed number of events), from the model or, without one, from the catalogue."""

    name = "popular"
    reads_history = False

    def retrieve(self, query: Query, n: int) -> RowArray:
        ranked = query.catalogue.by_popularity if query.model is None else query.model.by_popularity
        return ranked[:n]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return np.log1p(popularity_of(query, rows)).astype(np.float32)


def popularity_of(query: Query, rows: RowArray) -> FloatArray:
    """Return how much each item of `rows` is taken: from the model, from the catalogue where newer."""
    return query.catalogue.popularity[rows] if query.model is None else query.model.popularity[rows]
