from __future__ import annotations

import logging
import os

import pytest
from pytest_django import Settings

from recommender.training.dense_items import dense_items
from tests.recommender.worlds import interactions_of

DATA = interactions_of(
    # a: one user, b: two, c: three, d: three, e: two.
    (0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3), (1, 4), (2, 4), n_items=6,
)  # fmt: skip


def test_an_item_of_one_user_or_none_is_left_out() -> None:
    assert dense_items(DATA, matrices=3).tolist() == [1, 2, 3, 4]


def test_the_most_taken_are_kept_of_equals_the_first(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.RECOMMENDER_DENSE_ITEMS_AT_MOST = 3
    with caplog.at_level(logging.INFO, logger="recommender.training.dense_items"):
        assert dense_items(DATA, matrices=3).tolist() == [1, 2, 3]
    assert caplog.messages == ["dense models: the 3 most taken of 4 items (the sparse ones take all)"]


def test_a_tighter_limit_is_the_callers_own(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="recommender.training.dense_items"):
        assert dense_items(DATA, matrices=3, at_most=2).tolist() == [2, 3]
    assert caplog.messages == []
    settings.RECOMMENDER_DENSE_ITEMS_AT_MOST = 1
    assert dense_items(DATA, matrices=3, at_most=2).tolist() == [2]


@pytest.mark.parametrize(("matrices", "items"), [(1, [1, 2, 3]), (2, [2, 3])])
def test_no_more_is_taken_than_memory_holds(monkeypatch: pytest.MonkeyPatch, matrices: int, items: list[int]) -> None:
    # Half of 80 free bytes hold one float32 matrix of 3 × 3, or two of 2 × 2.
    monkeypatch.setattr(os, "sysconf", {"SC_AVPHYS_PAGES": 8, "SC_PAGE_SIZE": 10}.__getitem__)
    assert dense_items(DATA, matrices=matrices).tolist() == items
