"""What came in lately and has hardly been shown: the items of the exploration slot (`rerankers.exploration`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.new_items import SECONDS_A_DAY
from recommender.sources.scored_rows import ScoredRows

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
    reads_history = False

    def __init__(self, days: float = 7, impressions: int = 100) -> None:
        self.days = days
        self.impressions = impressions

    def enabled(self, query: Query) -> bool:
        return query.explored is not None

    def retrieve(self, query: Query, n: int) -> RowArray:
        return self._scored(query).best(n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scored(query).of(rows)

    def _scored(self, query: Query) -> ScoredRows:
        if self.name not in query.scratch:
            new = self._new_rows(query)
            shown = shown_times(query, new)
            age = (query.now - query.catalogue.created_at[new]) / (self.days * SECONDS_A_DAY)
            scores = (-shown - np.clip(age, 0.0, 0.999)).astype(np.float32)
            due = shown < self.impressions
            query.scratch[self.name] = ScoredRows(new[due], scores[due])
        kept: ScoredRows = query.scratch[self.name]
        return kept

    def _new_rows(self, query: Query) -> RowArray:
        catalogue = query.catalogue
        since = max(query.now - self.days * SECONDS_A_DAY, catalogue.median_created_at + BULK_SECONDS)
        moments, rows = catalogue.by_created_at
        lately = np.sort(rows[np.searchsorted(moments, since) :])
        if query.model is None or not len(query.model.newer):
            return lately
        return np.union1d(lately, query.model.newer) if len(lately) else query.model.newer


def shown_times(query: Query, rows: RowArray) -> NDArray[np.float64]:
    """Return (len(rows),) how often exploration has shown each item."""
    explored = query.explored or {}
    return np.array([explored.get(pk, 0) for pk in query.catalogue.pks[rows].tolist()], dtype=np.float64)
