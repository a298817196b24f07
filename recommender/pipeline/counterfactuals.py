"""What would have been without one item of the history: the proof behind "because you watched …"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recommender.arrays import BoolArray, RowArray
from recommender.contracts import Candidates, History, Query
from recommender.pipeline import runner
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.stages import Without

ROUNDING = 1e-5
"""Share of a score by which it must fall: asked for together, stages may round differently than alone."""


class Counterfactuals:
    """The candidates of one request, scored as if an item of its history had never been.

    Parameters
    ----------
    ranked
        All candidates of the request with their scores; the same ones are scored again, by the same stages.
    """

    def __init__(self, recipe: Recipe, query: Query, ranked: Candidates) -> None:
        # In the order in which `gather` found them: the ranks of equals depend on it.
        order = np.argsort(ranked.rows)
        self._recipe, self._query = recipe, query
        self._rows, self._scores = ranked.rows[order], ranked.score[order]

    def lowered(self, shown: RowArray, places: Sequence[int]) -> BoolArray:
        """Return (places, shown) True where the score falls when the history item at that place had never been.

        Parameters
        ----------
        shown
            Rows among the candidates.
        """
        if len(self._query.history.rows) == 1:
            # Without his only item there would be no personal list at all.
            return np.ones((len(places), len(shown)), dtype=bool)
        reduced = [Without(without(self._query, place), place) for place in places]
        found = np.searchsorted(self._rows, shown)
        again = runner.rescore_without(self._recipe, self._query, self._rows, reduced, found)
        return np.stack(again) < self._scores[found] * (1 - ROUNDING)


def without(query: Query, place: int) -> Query:
    """Return the query of somebody who has all of this history but the item at `place`."""
    history = query.history
    kept = np.delete(np.arange(len(history.rows)), place)
    named = history.named - (place >= len(history.rows) - history.named)
    reduced = History(
        rows=history.rows[kept],
        weights=history.weights[kept],
        occurred_at=history.occurred_at[kept],
        seen=history.seen,
        named=int(named),
    )
    return replace(query, history=reduced, scratch={})
