"""Drops what the editors' rules shut out, so that the sources are asked for others in its place."""

from __future__ import annotations

from recommender.arrays import BoolArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Filter


class RuledOut(Filter):
    """What is hidden, excluded, not included, or what he is tired of; a rule may still bring back all but the first."""

    name = "ruled_out"

    def enabled(self, query: Query) -> bool:
        return query.rules is not None

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        assert query.rules is not None  # noqa: S101 -- `enabled` said so
        return query.rules.admits(candidates.rows)
