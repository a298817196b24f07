"""Drops what the user has already taken."""

from __future__ import annotations

import numpy as np

from recommender.arrays import BoolArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Filter


class Seen(Filter):
    """An item is seen after an event of a type that `marks_seen`."""

    name = "seen"

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        return ~np.isin(candidates.rows, query.history.seen)
