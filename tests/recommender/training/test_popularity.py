from __future__ import annotations

import numpy as np
import pytest

from recommender.training import popularity
from recommender.training.dataset import interactions
from tests.recommender.worlds import interactions_of

DAY = 86_400.0


def test_without_a_half_life_users_are_counted() -> None:
    counts = popularity.train(interactions_of((0, 1), (1, 1), (1, 2), n_items=4), None)
    assert (counts.tolist(), counts.dtype) == ([0, 2, 1, 0], np.float32)


def test_with_a_half_life_age_counts_back_from_the_newest_event() -> None:
    data = interactions(
        users=np.array([0, 1, 2]),
        items=np.array([0, 0, 1]),
        weights=np.ones(3, np.float32),
        occurred_at=np.array([100 * DAY, 90 * DAY, 80 * DAY]),
        n_users=3,
        n_items=3,
    )
    # Half-life of 10 days: 1 + 0.5 for the first, 0.25 for the second.
    assert popularity.train(data, 10.0) == pytest.approx([1.5, 0.25, 0.0])
