from __future__ import annotations

import numpy as np
import pytest

from recommender.training.segments import segments


@pytest.mark.parametrize(
    ("lengths", "new", "light", "heavy"),
    [
        # The median of 1, 3, 8 and 10 is 5.5.
        ([0, 10, 3, 8, 1], [0], [2, 4], [1, 3]),
        ([1, 2, 3], [], [0, 1], [2]),
        # All alike are light: nobody has more than the median.
        ([4, 4], [], [0, 1], []),
        ([0, 0], [0, 1], [], []),
        ([], [], [], []),
    ],
)
def test_users_are_told_apart_by_their_history(
    lengths: list[int], new: list[int], light: list[int], heavy: list[int]
) -> None:
    found = segments(np.array(lengths, dtype=np.int64))
    assert {name: np.flatnonzero(users).tolist() for name, users in found.items()} == {
        "new": new,
        "light": light,
        "heavy": heavy,
    }
