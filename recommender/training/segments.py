"""Users by how much is known of them: a mean over all hides whom the lists fail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray

SEGMENTS = ("new", "light", "heavy")


def segments(history_lengths: NDArray[np.int64]) -> dict[str, BoolArray]:
    """Return the users of each segment as a (users,) mask; every user is in exactly one.

    "new" has no history; "light" has at most the median history of those who have one; "heavy" has more.

    Parameters
    ----------
    history_lengths
        (users,) items each user had taken before what is held out.
    """
    new = history_lengths == 0
    median = np.median(history_lengths[~new]) if not new.all() else 0
    heavy = history_lengths > median
    return dict(zip(SEGMENTS, (new, ~new & ~heavy, heavy), strict=True))
