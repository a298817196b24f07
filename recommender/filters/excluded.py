"""Drops what the request excludes, and the seed itself."""

from __future__ import annotations

import numpy as np

from recommender.arrays import BoolArray, contains
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Filter


class Excluded(Filter):
    """The `exclude` parameter, and the items of the page's earlier carousels."""

    name = "excluded"

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        keep = ~contains(np.sort(query.exclude), candidates.rows)
        if query.seed is not None:
            keep &= candidates.rows != query.seed
        return keep
