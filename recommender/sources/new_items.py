"""What has come out or come in last."""

from __future__ import annotations

import numpy as np

from recommender.contracts import FloatArray, Query, RowArray
from recommender.pipeline.stages import Source
from recommender.sources.top_rows import top_rows

SECONDS_A_DAY = 86_400.0


class NewItems(Source):
    """Minus the item's age in days on a logarithmic scale: last week against last month matters, 1950 or 1960 not.

    The age is counted from publication, or from the entry into the catalogue where that is unknown. Items that are
    not out yet are not known to this source.
    """

    name = "new_items"

    def retrieve(self, query: Query, n: int) -> RowArray:
        return top_rows(self._scores(query), n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scores(query)[rows]

    def _scores(self, query: Query) -> FloatArray:
        if self.name not in query.scratch:
            catalogue = query.catalogue
            since = np.where(np.isfinite(catalogue.published_at), catalogue.published_at, catalogue.created_at)
            age_days = np.where(since <= query.now, (query.now - since) / SECONDS_A_DAY, np.nan)
            query.scratch[self.name] = (-np.log1p(age_days)).astype(np.float32)
        kept: FloatArray = query.scratch[self.name]
        return kept
