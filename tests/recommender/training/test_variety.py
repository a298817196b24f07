"""Variety is paid for by what the ranking gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from pytest_django import Settings

from recommender.arrays import RowArray
from recommender.ranking.choosing import Ranking
from recommender.training import variety

TRUTH: list[RowArray] = [np.array([user]) for user in range(10)]


def ranking(kind: str, **quality: float) -> Ranking:
    scores = np.empty(0, dtype=np.float32)
    columns = ("one", "two")
    return Ranking(kind=kind, weights={}, columns=columns, trees=None, quality=quality, scores=scores)


@pytest.mark.parametrize(
    ("kind", "blend", "expected"),
    [("single", 0.3, 0.0), ("blend", 0.22, 0.05), ("blend", 0.202, 0.005), ("learned", 0.3, 0.02)],
)
def test_half_of_the_gain_over_the_best_single_source_is_earned(
    settings: Settings, kind: str, blend: float, expected: float
) -> None:
    settings.RECOMMENDER_VARIETY = {"share_of_gain": 0.5, "at_most": 0.06}
    learned = 0.208
    found = variety.earned(ranking(kind, one=0.1, two=0.2, blend=blend, learned=learned))
    assert found == pytest.approx(expected)


def test_what_is_earned_has_a_limit(settings: Settings) -> None:
    settings.RECOMMENDER_VARIETY = {"share_of_gain": 0.5, "at_most": 0.01}
    assert variety.earned(ranking("blend", one=0.1, two=0.2, blend=0.3, learned=0.1)) == 0.01


def lists_of(strengths: Mapping[str, float]) -> list[RowArray]:
    """One right item a user, first on the list; the long tail adds items that nobody else is shown, and at 0.3 or more
    moves the right one to the second place; discoveries lose it."""
    tail = strengths.get("long_tail", 0.0)
    lists = []
    for user in range(10):
        others = [100 + user * 10 + place for place in range(round(tail * 10))]
        right = [] if strengths.get("discoveries") else [user]
        lists.append(np.array(others[:1] + right + others[1:] if tail >= 0.3 else right + others, dtype=np.int64))
    return lists


def test_of_what_costs_no_more_than_allowed_the_most_various_is_found() -> None:
    # The second place counts 1 / log2(3) = 0.63 of the first.
    assert variety.find(lists_of, TRUTH, allowed=0.3) == {"long_tail": 0.2, "discoveries": 0.0}
    assert variety.find(lists_of, TRUTH, allowed=0.4) == {"long_tail": 0.4, "discoveries": 0.0}


def test_where_nothing_was_earned_nothing_is_tried() -> None:
    def never(strengths: Mapping[str, float]) -> list[RowArray]:
        raise AssertionError

    assert variety.find(never, TRUTH, allowed=0.0) == {}


def test_what_shows_no_more_items_is_not_worth_any_cost() -> None:
    assert variety.find(lambda strengths: TRUTH, TRUTH, allowed=0.5) == {}
