"""A user's stored features as the pipeline wants them: catalogue rows, newest first, each item once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from recommender.contracts import History

HISTORY_ITEMS = 300
"""Distinct items of a history that are used at most."""


def build(
    item_pks: NDArray[np.int64],
    event_weights: NDArray[np.float32],
    occurred_at: NDArray[np.float64],
    seen_pks: NDArray[np.int64],
    catalogue: Catalogue,
) -> History:
    """Return the history of events given newest first.

    An item counts once: at the time of its newest event, with the largest weight of its events. An item whose newest
    event that matters has a negative weight (disliked) does not count. Items that the catalogue no longer has are
    left out.
    """
    rows = catalogue.rows_of_pks(item_pks)
    known = (rows >= 0) & (event_weights != 0)
    rows, weights, moments = rows[known], event_weights[known], occurred_at[known]
    distinct, first = np.unique(rows, return_index=True)
    largest = np.zeros(len(distinct), dtype=np.float32)
    np.maximum.at(largest, np.searchsorted(distinct, rows), weights)
    liked = weights[first] > 0
    order = np.argsort(first[liked], kind="stable")[:HISTORY_ITEMS]
    positions = first[liked][order]
    seen = catalogue.rows_of_pks(seen_pks)
    return History(
        rows=rows[positions],
        weights=largest[liked][order],
        occurred_at=moments[positions],
        seen=np.sort(seen[seen >= 0]),
    )
