"""What has come out or come in last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.top_rows import top_rows

SECONDS_A_DAY = 86_400.0


class NewItems(Source):
    """Minus the item's age in days on a logarithmic scale: last week against last month matters, 1950 or 1960 not.

    The age is counted from publication. An item without a date of publication counts from its entry into the
    catalogue, but not one that came in with the bulk (within a day of the median entry): an import of old films would
    else look new. Items that are not out yet are not known to this source.
    """

    name = "new_items"
    reads_history = False

    def retrieve(self, query: Query, n: int) -> RowArray:
        return top_rows(self._scores(query), n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scores(query)[rows]

    def _scores(self, query: Query) -> FloatArray:
        if self.name not in query.scratch:
            since = new_since(query.catalogue)
            age_days = np.where(since <= query.now, (query.now - since) / SECONDS_A_DAY, np.nan)
            query.scratch[self.name] = (-np.log1p(age_days)).astype(np.float32)
        kept: FloatArray = query.scratch[self.name]
        return kept


def new_since(catalogue: Catalogue) -> NDArray[np.float64]:
    """Return (items,) POSIX seconds from which each item counts as new, nan where there is no telling."""
    if not len(catalogue):
        return np.empty(0, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # -inf, an unknown entry, minus itself
        came_alone = np.abs(catalogue.created_at - np.median(catalogue.created_at)) > SECONDS_A_DAY
    entered = np.where(came_alone, catalogue.created_at, np.nan)
    return np.where(np.isfinite(catalogue.published_at), catalogue.published_at, entered)
