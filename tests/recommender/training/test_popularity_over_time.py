from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.training import popularity_over_time
from tests.recommender.worlds import interactions_of

DATA = interactions_of((0, 0), (0, 1), (1, 0), (2, 0))
"""a at second 0, b at 1, a at 2 and 3."""


def test_what_was_taken_before_each_moment_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity_over_time, "MOMENTS", 4)
    made = popularity_over_time.train(DATA)
    # Quartiles of 0, 1, 2, 3.
    assert made["popularity_over_time.moments"].tolist() == [0.75, 1.5, 2.25]
    counts = made["popularity_over_time.counts"]
    assert counts.dtype == np.float32
    assert counts.tolist() == [[0, 0], [1, 0], [1, 1], [2, 1], [3, 1]]


def test_a_very_large_catalogue_gets_fewer_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten cells are five moments of two items: four edges, and a count before and behind each.
    monkeypatch.setattr(popularity_over_time, "CELLS", 10)
    assert popularity_over_time.train(DATA)["popularity_over_time.counts"].shape == (6, 2)


def test_where_all_happened_at_once_there_is_one_moment() -> None:
    made = popularity_over_time.train(replace(DATA, occurred_at=np.full(4, 7.0)))
    assert made["popularity_over_time.moments"].tolist() == [7.0]
    assert made["popularity_over_time.counts"].tolist() == [[0, 0], [0, 0], [3, 1]]
