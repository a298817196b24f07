"""What a place of a list may be expected to earn, by where it is and what stands there.

A place's own rate (all of its rows) times an item's: how often it was taken, against what its places would have let
expect. Both are drawn towards the mean where little is known, so that what was never shown earns what its place does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PLACE_PRIOR = 20.0
"""Rows of the mean rate that every place is given besides its own."""
ITEM_PRIOR = 2.0
"""Rewards, as expected, that every item is given besides its own: taken four times where two were expected is × 1.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRewards:
    """Learned from logged rows by `learn`."""

    mean: float
    of_places: FloatArray
    """(places,) 0 is first."""
    items: IntArray
    """(items,) ascending."""
    factors: FloatArray
    """(items,) what stands there earns so many times what its place does."""

    def of(self, items: IntArray, positions: IntArray) -> FloatArray:
        """Return (n,) the rewards to expect of items at positions; never more than 1."""
        known = np.minimum(positions, max(len(self.of_places) - 1, 0))
        places = self.of_places[known] if len(self.of_places) else np.full(len(positions), self.mean)
        if not len(self.items):
            return places
        at = np.minimum(np.searchsorted(self.items, items), len(self.items) - 1)
        factors = np.where(self.items[at] == items, self.factors[at], 1.0)
        found: FloatArray = np.minimum(places * factors, 1.0)
        return found


def learn(items: IntArray, positions: IntArray, rewards: FloatArray) -> ExpectedRewards:
    """Return what (n,) rows let expect; without any, nothing is expected anywhere."""
    mean = float(rewards.mean()) if len(rewards) else 0.0
    rows = np.bincount(positions)
    of_places = (np.bincount(positions, weights=rewards) + PLACE_PRIOR * mean) / (rows + PLACE_PRIOR)
    known, which = np.unique(items, return_inverse=True)
    expected = np.bincount(which, weights=of_places[positions])
    factors = (np.bincount(which, weights=rewards) + ITEM_PRIOR) / (expected + ITEM_PRIOR)
    return ExpectedRewards(mean=mean, of_places=of_places, items=known, factors=factors)
