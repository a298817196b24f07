"""What most people take: the list that can always answer."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.top_rows import top_rows


class Popular(Source):
    """log(1 + rolling, decayed number of events), from the model or, without one, from the catalogue."""

    name = "popular"
    reads_history = False

    def retrieve(self, query: Query, n: int) -> RowArray:
        return top_rows(self._scores(query), n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scores(query)[rows]

    def _scores(self, query: Query) -> FloatArray:
        if self.name not in query.scratch:
            query.scratch[self.name] = np.log1p(popularity_of(query)).astype(np.float32)
        kept: FloatArray = query.scratch[self.name]
        return kept


def popularity_of(query: Query, rows: RowArray | slice = slice(None)) -> FloatArray:
    """Return how much each item of `rows` (all of them) is taken: from the model, from the catalogue where newer."""
    if query.model is None:
        return query.catalogue.popularity[rows]
    built = query.model.popularity[rows]
    return np.where(np.isfinite(built), built, query.catalogue.popularity[rows])
