"""What would have been without one item of the history: the proof behind "because you watched …"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recommender.arrays import BoolArray, RowArray
from recommender.contracts import Candidates, History, Query
from recommender.pipeline import runner
from recommender.pipeline.recipes import Recipe


def lowered_without(recipe: Recipe, query: Query, ranked: Candidates, shown: RowArray, place: int) -> BoolArray:
    """Return (shown,) True where the score falls when the history item at `place` had never been.

    Parameters
    ----------
    ranked
        All candidates of the request with their scores; the same ones are scored again, by the same stages.
    shown
        Rows among `ranked`.
    """
    if len(query.history.rows) == 1:
        # Without his only item there would be no personal list at all.
        return np.ones(len(shown), dtype=bool)
    reduced = without(query, place)
    for slot in recipe.sources:
        slot.source.prime(reduced, query, place)
    # In the order in which `gather` found them: the ranks of equals depend on it.
    again = runner.rescore(recipe, reduced, np.sort(ranked.rows))
    return np.asarray(_scores_of(again, shown) < _scores_of(ranked, shown))


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


def _scores_of(candidates: Candidates, rows: RowArray) -> np.ndarray:
    order = np.argsort(candidates.rows)
    return np.asarray(candidates.score[order][np.searchsorted(candidates.rows[order], rows)])
