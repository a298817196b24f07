"""Drops what may not be shown now: hidden, not yet or no longer available."""

from __future__ import annotations

from recommender.arrays import BoolArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Filter


class Unavailable(Filter):
    """Reads the catalogue snapshot, which follows a committed change on the next request."""

    name = "unavailable"

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        return query.catalogue.available(query.now)[candidates.rows]
