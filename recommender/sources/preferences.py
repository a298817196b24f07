"""What most people take of what he says he likes: the first list of somebody who has done nothing yet."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.popular import popularity_of
from recommender.sources.top_rows import top_rows


class StatedPreferences(Source):
    """(1 when the item is of a preferred category + share of the preferred tags it has) · log(2 + popularity).

    Knows all items; those that meet no preference score 0 and are not proposed.
    """

    name = "preferences"

    def enabled(self, query: Query) -> bool:
        return bool(query.preferences.categories or query.preferences.tags)

    def retrieve(self, query: Query, n: int) -> RowArray:
        scores = self._scores(query)
        return top_rows(np.where(scores > 0, scores, np.float32(np.nan)), n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scores(query)[rows]

    def _scores(self, query: Query) -> FloatArray:
        if self.name not in query.scratch:
            scores = _affinity(query) * np.log(2 + popularity_of(query))
            query.scratch[self.name] = scores.astype(np.float32)
        kept: FloatArray = query.scratch[self.name]
        return kept


def _affinity(query: Query) -> FloatArray:
    """Return (items,) how well each item meets the preferences, 0..2."""
    catalogue, stated = query.catalogue, query.preferences
    wanted = np.array([name.casefold() in stated.categories for name in catalogue.categories], dtype=np.float32)
    affinity = wanted[catalogue.category_codes] if len(catalogue) else np.empty(0, dtype=np.float32)
    for tag in stated.tags:
        if tag in catalogue.rows_by_tag:
            affinity[catalogue.rows_by_tag[tag]] += np.float32(1 / len(stated.tags))
    return affinity
