"""How much each item is taken lately."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.training.dataset import Interactions

SECONDS_A_DAY = 86_400.0


def train(data: Interactions, half_life_days: float | None) -> NDArray[np.float32]:
    """Return (items,) float32: Σ over the item's users of 0.5^(age / half-life); a plain count when it is None.

    The age is counted back from the newest event, so that a data set of years ago still has an order.
    """
    weights = None
    if half_life_days is not None and len(data):
        age_days = (data.occurred_at.max() - data.occurred_at) / SECONDS_A_DAY
        weights = 0.5 ** (age_days / half_life_days)
    return np.bincount(data.items, weights=weights, minlength=data.n_items).astype(np.float32)
