"""What is taken most lately, where the user is and in the categories he says he likes."""

from __future__ import annotations

import numpy as np

from interactions.popularity import Ranked
from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Query
from recommender.pipeline.stages import Source
from recommender.sources.scored_rows import ScoredRows


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
    reads_history = False

    def __init__(self, prior: float = 50.0) -> None:
        self.prior = prior

    def enabled(self, query: Query) -> bool:
        return query.trending is not None and query.trending.everywhere.total > 0

    def retrieve(self, query: Query, n: int) -> RowArray:
        return self._scored(query).best(n)

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        return self._scored(query).of(rows)

    def _scored(self, query: Query) -> ScoredRows:
        if self.name not in query.scratch:
            query.scratch[self.name] = self._log_shares(query)
        kept: ScoredRows = query.scratch[self.name]
        return kept

    def _log_shares(self, query: Query) -> ScoredRows:
        trending = query.trending
        assert trending is not None  # noqa: S101 -- `enabled` said so
        preferred = [
            ranked
            for category, ranked in (trending.categories.items() if query.preferences.categories else ())
            if category.casefold() in query.preferences.categories
        ]
        country = trending.countries.get(query.country, Ranked())
        pks = np.unique(np.concatenate([ranked.pks for ranked in (*preferred, trending.everywhere, country)]))
        everywhere, there = np.zeros(len(pks)), np.zeros(len(pks))
        for ranked in (*preferred, trending.everywhere):
            everywhere[np.searchsorted(pks, ranked.pks)] = ranked.scores
        there[np.searchsorted(pks, country.pks)] = country.scores
        # Beyond the items kept of everywhere: at least what the country took.
        everywhere = np.maximum(everywhere, there)
        shares = (there + self.prior * everywhere / trending.everywhere.total) / (country.total + self.prior)
        rows = query.catalogue.rows_of_pks(pks)
        return ScoredRows(rows[rows >= 0], np.log(shares[rows >= 0]).astype(np.float32))
