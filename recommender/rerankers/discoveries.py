"""Gives some places to items that suit this user far more than they suit most people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommender.arrays import FloatArray
from recommender.contracts import Candidates, Query
from recommender.rerankers.diversity import Diversity

SOURCE = "item_to_item"
SPREAD = "item_to_item.spread"

ROUNDING = 1e-9
"""0.29 · 100 comes to a little less than 29."""


class Discoveries(Diversity):
    """A share `strength` of the places goes to the items of highest lift, the others to the best that are left.

    lift = score of the source `item_to_item` / its spread over users (`training.spread`): popular items score high for
    everybody and have little of it. With a share of 0.1 these are the places 10, 20, …: the last of each ten costs
    least, and it shows another item to nearly every user, so that far more of the catalogue is shown to somebody.
    Whom an item suits best, not only what suits a user best, is the idea of Vargas and Castells, "Improving Sales
    Diversity by Recommending Users to Items", RecSys 2014.
    """

    name = "discoveries"

    def enabled(self, query: Query) -> bool:
        return query.model is not None and SPREAD in query.model.bundle.arrays

    def choose(self, query: Query, pool: Candidates, n: int, strength: float) -> Sequence[int]:
        lift = _lift(query, pool)
        due = np.floor(np.arange(n + 1) * strength + ROUNDING)
        left = np.ones(len(pool), dtype=bool)
        chosen: list[int] = []
        for discovery in (np.diff(due) > 0).tolist():
            position = int(np.argmax(np.where(left, lift, -np.inf))) if discovery else int(np.argmax(left))
            if not left[position]:  # nothing left has a lift
                position = int(np.argmax(left))
            chosen.append(position)
            left[position] = False
        return chosen


def _lift(query: Query, pool: Candidates) -> FloatArray:
    """Return (n,) float32, -inf for items that nothing is known of."""
    scores = pool.source_scores.get(SOURCE)
    view = query.model
    if scores is None or view is None:
        return np.full(len(pool), -np.inf, dtype=np.float32)
    spread = view.spread(view.array(SPREAD), pool.rows)
    comparable = np.isfinite(scores) & (spread > 0)
    return np.divide(scores, spread, out=np.full_like(scores, -np.inf), where=comparable)
