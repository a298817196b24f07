"""Drops what the editors' rules shut out, so that the sources are asked for others in its place."""

from __future__ import annotations

import numpy as np

from recommender.arrays import BoolArray
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Filter


class RuledOut(Filter):
    """What is hidden, excluded or not included; a pin or promotion may still bring back the latter two."""

    name = "ruled_out"

    def enabled(self, query: Query) -> bool:
        return query.rules is not None and (query.rules.hidden is not None or query.rules.kept_out is not None)

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        keep = np.ones(len(candidates), dtype=bool)
        for shut_out in () if query.rules is None else (query.rules.hidden, query.rules.kept_out):
            if shut_out is not None:
                keep &= ~shut_out[candidates.rows]
        return keep
