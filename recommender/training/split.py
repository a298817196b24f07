"""What is held out to measure a model: the last part of each user's history, by time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.training.dataset import Interactions


def last_share_by_user(data: Interactions, share: float = 0.2) -> NDArray[np.bool_]:
    """Return (pairs,) bool, True for each user's newest ⌊share · n⌋ pairs: the held-out ones."""
    starts = data.user_starts()
    counts = np.diff(starts)
    position = np.arange(len(data)) - np.repeat(starts[:-1], counts)
    held_out = np.floor(share * counts).astype(np.int64)
    return position >= np.repeat(counts - held_out, counts)
