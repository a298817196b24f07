"""What is taken most lately, where the user is and in the categories he says he likes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.top_rows import top_rows


class TrendingNow(Source):
    """Logarithm of the item's share of all that was taken lately in the user's country.

    share = (taken there + prior · share everywhere) / (taken there in all + prior): a country in which little happens
    borrows from everywhere, and passes smoothly to its own as events come in; an unknown country is everywhere. Known
    are the items that are trending everywhere, in the country or in a preferred category (`interactions.popularity`).

    Parameters
    ----------
    prior
        Events everywhere that count as much as those of the country; about as many as it takes to trust it by half.
    """

    name = "trending"

    def __init__(self, prior: float = 50.0) -> None:
        self.prior = prior

    def enabled(self, query: Query) -> bool:
        return query.trending is not None and query.trending.everywhere.total > 0

    def retrieve(self, query: Query, n: int) -> RowArray:
        return top_rows(self._scores(query), n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scores(query)[rows]

    def _scores(self, query: Query) -> FloatArray:
        if self.name not in query.scratch:
            query.scratch[self.name] = self._log_shares(query)
        kept: FloatArray = query.scratch[self.name]
        return kept

    def _log_shares(self, query: Query) -> FloatArray:
        trending = query.trending
        assert trending is not None  # noqa: S101 -- `enabled` said so
        everywhere, there = np.zeros(len(query.catalogue)), np.zeros(len(query.catalogue))
        for category, ranked in trending.categories.items():
            if category.casefold() in query.preferences.categories:
                _put(everywhere, query, ranked.pks, ranked.scores)
        _put(everywhere, query, trending.everywhere.pks, trending.everywhere.scores)
        total = 0.0
        country = trending.countries.get(query.country)
        if country is not None:
            _put(there, query, country.pks, country.scores)
            total = country.total
            # Beyond the items kept of everywhere: at least what the country took.
            everywhere = np.maximum(everywhere, there)
        shares = (there + self.prior * everywhere / trending.everywhere.total) / (total + self.prior)
        scores = np.full(len(shares), np.nan)
        np.log(shares, out=scores, where=shares > 0)
        return scores.astype(np.float32)


def _put(values: NDArray[np.float64], query: Query, pks: RowArray, scores: NDArray[np.float64]) -> None:
    rows = query.catalogue.rows_of_pks(pks)
    values[rows[rows >= 0]] = scores[rows >= 0]
