"""Drops what the user has already taken."""

from __future__ import annotations

from recommender.arrays import BoolArray, contains
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Filter


class Seen(Filter):
    """An item is seen after an event of a type that `marks_seen`."""

    name = "seen"

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        return ~contains(query.history.seen, candidates.rows)
