"""What most people take of the one category that a list is of."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.popular import popularity_of
from recommender.sources.scored_rows import ScoredRows


class OfCategory(Source):
    """log(2 + popularity) of the items of the list's category; others are not known."""

    name = "category"
    reads_history = False

    def enabled(self, query: Query) -> bool:
        return bool(query.category)

    def retrieve(self, query: Query, n: int) -> RowArray:
        return self._scored(query).best(n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scored(query).of(rows)

    def _scored(self, query: Query) -> ScoredRows:
        if self.name not in query.scratch:
            codes = [code for code, name in enumerate(query.catalogue.categories) if name == query.category]
            rows = np.flatnonzero(np.isin(query.catalogue.category_codes, codes))
            query.scratch[self.name] = ScoredRows(rows, np.log(2 + popularity_of(query, rows)).astype(np.float32))
        kept: ScoredRows = query.scratch[self.name]
        return kept
