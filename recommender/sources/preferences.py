"""What most people take of what he says he likes: the first list of somebody who has done nothing yet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.popular import popularity_of
from recommender.sources.scored_rows import ScoredRows


class StatedPreferences(Source):
    """(1 when the item is of a preferred category + share of the preferred tags it has) · log(2 + popularity).

    Knows all items; those that meet no preference score 0 and are not proposed.
    """

    name = "preferences"
    reads_history = False

    def enabled(self, query: Query) -> bool:
        return bool(query.preferences.categories or query.preferences.tags)

    def retrieve(self, query: Query, n: int) -> RowArray:
        return self._scored(query).best(n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scored(query).of(rows, unknown=0.0)

    def _scored(self, query: Query) -> ScoredRows:
        if self.name not in query.scratch:
            rows, affinity = _matching(query)
            scores = affinity * np.log(2 + popularity_of(query, rows))
            query.scratch[self.name] = ScoredRows(rows, scores.astype(np.float32))
        kept: ScoredRows = query.scratch[self.name]
        return kept


def _matching(query: Query) -> tuple[RowArray, NDArray[np.float64]]:
    """Return the rows of the items that meet a preference, ascending, and how well each does, above 0 to 2."""
    catalogue, stated = query.catalogue, query.preferences
    codes = [code for code, name in enumerate(catalogue.categories) if name.casefold() in stated.categories]
    found = [np.flatnonzero(np.isin(catalogue.category_codes, codes))]
    weights = [np.ones(len(found[0]))]
    for tag in stated.tags:
        tagged = catalogue.rows_with_folded_tag(tag)
        found.append(tagged)
        weights.append(np.full(len(tagged), 1 / len(stated.tags)))
    rows, place = np.unique(np.concatenate(found), return_inverse=True)
    return rows, np.bincount(place, weights=np.concatenate(weights), minlength=len(rows)).astype(np.float64)
