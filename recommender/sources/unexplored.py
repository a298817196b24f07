"""What came in lately and has hardly been shown: the items of the exploration slot (`rerankers.exploration`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.new_items import SECONDS_A_DAY
from recommender.sources.top_rows import top_rows

BULK_SECONDS = 3600.0
"""Items that came in within so long of the median one were imported together and are the catalogue, not news."""


class Unexplored(Source):
    """Minus the times exploration has shown the item, minus its age as a share of `days`: the least shown, then newest.

    Known are items that the model does not have, and those that came in within `days` and not with the bulk, as long
    as exploration has shown them less than `impressions` times.

    Parameters
    ----------
    days
        Age, since the entry into the catalogue, up to which an item is new.
    impressions
        Budget of an item.
    """

    name = "unexplored"

    def __init__(self, days: float = 7, impressions: int = 100) -> None:
        self.days = days
        self.impressions = impressions

    def enabled(self, query: Query) -> bool:
        return query.explored is not None

    def retrieve(self, query: Query, n: int) -> RowArray:
        return top_rows(self._scores(query), n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scores(query)[rows]

    def _scores(self, query: Query) -> FloatArray:
        if self.name not in query.scratch:
            shown = shown_times(query)
            age = (query.now - query.catalogue.created_at) / (self.days * SECONDS_A_DAY)
            scores = -shown - np.clip(age, 0.0, 0.999)
            wanted = self._is_new(query) & (shown < self.impressions)
            query.scratch[self.name] = np.where(wanted, scores, np.nan).astype(np.float32)
        kept: FloatArray = query.scratch[self.name]
        return kept

    def _is_new(self, query: Query) -> NDArray[np.bool_]:
        catalogue = query.catalogue
        new = catalogue.created_at >= max(
            query.now - self.days * SECONDS_A_DAY, catalogue.median_created_at + BULK_SECONDS
        )
        if query.model is not None:
            new[query.model.newer] = True
        return new


def shown_times(query: Query) -> NDArray[np.float64]:
    """Return (items,) how often exploration has shown each item."""
    explored = query.explored or {}
    rows = query.catalogue.rows_of_pks(np.fromiter(explored.keys(), np.int64, len(explored)))
    times = np.fromiter(explored.values(), np.float64, len(explored))
    shown = np.zeros(len(query.catalogue))
    shown[rows[rows >= 0]] = times[rows >= 0]
    return shown
