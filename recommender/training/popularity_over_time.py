"""How often each item had been taken by when: what "popular lately" meant at any moment."""

from __future__ import annotations

import numpy as np

from recommender.arrays import FloatArray
from recommender.training.dataset import Interactions

MOMENTS = 64
CELLS = 16_000_000
"""(moments, items) float32 stay below 64 MB: a very large catalogue gets fewer moments."""


def train(data: Interactions) -> dict[str, np.ndarray]:
    """Return the artefact arrays.

    `popularity_over_time.moments` (m,) float64 ascending POSIX seconds with the same number of events between any two,
    `popularity_over_time.counts` (m + 2, items) float32: 0, the item's events before each moment, and in all.
    """
    moments = int(min(MOMENTS, max(CELLS // max(data.n_items, 1), 4)))
    edges = np.unique(np.quantile(data.occurred_at, np.arange(1, moments) / moments))
    bucket = np.searchsorted(edges, data.occurred_at, side="right")
    shape = (len(edges) + 2, data.n_items)
    cells = np.bincount((bucket + 1) * data.n_items + data.items, minlength=shape[0] * shape[1])
    counts: FloatArray = np.cumsum(cells.reshape(shape), axis=0, dtype=np.float32)
    return {"popularity_over_time.moments": edges, "popularity_over_time.counts": counts}
