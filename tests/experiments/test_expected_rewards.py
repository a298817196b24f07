"""What a place earns follows from where it is and what stands there."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.expected_rewards import learn


def test_a_place_has_its_rate_and_an_item_its_factor() -> None:
    """Of 40 rows the first place is taken in 20 and the second in 8; item 7 stands first 20 times, and is taken 16."""
    items = np.array([7] * 20 + [8] * 20 + [9] * 40)
    positions = np.array([0] * 40 + [1] * 40)
    rewards = np.concatenate([[1] * 16, [0] * 4, [1] * 4, [0] * 16, [1] * 8, [0] * 32]).astype(np.float64)
    learned = learn(items, positions, rewards)
    # With twenty rows of the mean, 0.35: (20 + 7) / 60 and (8 + 7) / 60.
    assert learned.of_places == pytest.approx([0.45, 0.25])
    # 16 where 20 · 0.45 = 9 were expected, 4 where 9 were, and 8 where 10 were; 2 more of each.
    assert learned.factors == pytest.approx([18 / 11, 6 / 11, 10 / 12])
    found = learned.of(np.array([7, 7, 1, 99, 8]), np.array([0, 1, 0, 1, 5]))
    assert found == pytest.approx([0.45 * 18 / 11, 0.25 * 18 / 11, 0.45, 0.25, 0.25 * 6 / 11])


def test_more_than_one_is_never_expected() -> None:
    learned = learn(np.array([1] * 50), np.zeros(50, dtype=np.int64), np.ones(50))
    assert learned.of(np.array([1]), np.array([0])) == pytest.approx([1.0])


def test_of_nothing_nothing_is_expected() -> None:
    nothing = np.empty(0, dtype=np.int64)
    learned = learn(nothing, nothing, np.empty(0))
    assert learned.of(np.array([3]), np.array([2])).tolist() == [0.0]
