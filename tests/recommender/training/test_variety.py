"""Variety is paid for by what the ranking gained."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from pytest_django import Settings

from recommender.arrays import RowArray
from recommender.training import variety


class World:
    """100 users, each of whom took one item, and would find it first on a plain list.

    Re-rankers named in `loses` put the item out of the lists of so many users; strengths show everybody items that
    nobody else sees.
    """

    def __init__(self, **loses: int) -> None:
        self.loses = loses
        self.tried: list[dict[str, float]] = []

    def __call__(self, strengths: Mapping[str, float]) -> list[RowArray]:
        self.tried.append(dict(strengths))
        used = [name for name, strength in strengths.items() if strength > 0]
        lost = sum(self.loses.get(name, 0) for name in used)
        shows = round(10 * sum(strengths.get(name, 0.0) for name in ("long_tail", "discoveries")))
        return [
            np.array([-2 if user < lost else user] + [1000 + user * 10 + place for place in range(shows)])
            for user in range(100)
        ]

    def find(self, gain: float) -> dict[str, float]:
        return variety.find(self, [np.array([user]) for user in range(100)], gain)


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.RECOMMENDER_VARIETY = {"share_of_gain": 0.5, "at_most": 0.02}


def test_what_shows_most_items_within_the_limit_is_found() -> None:
    assert World().find(gain=0.5) == {"category_diversity": 0.1, "long_tail": 0.3, "discoveries": 0.1}
    assert World(discoveries=2).find(gain=0.5) == {"category_diversity": 0.1, "long_tail": 0.3, "discoveries": 0.1}
    assert World(discoveries=3).find(gain=0.5) == {"category_diversity": 0.1, "long_tail": 0.3, "discoveries": 0.0}


def test_categories_come_first_and_count_with_the_rest() -> None:
    assert World(category_diversity=2, long_tail=1).find(gain=0.5) == {"category_diversity": 0.1}
    found = World(category_diversity=3, discoveries=2).find(gain=0.5)
    assert found == {"long_tail": 0.3, "discoveries": 0.1}


def test_a_cost_that_the_gain_does_not_surely_pay_is_not_made() -> None:
    # One user of 100 is 0.01 ± 0.00995.
    one = World(long_tail=1, discoveries=1, category_diversity=1)
    assert one.find(gain=0.0398) == {}
    assert one.find(gain=0.0400) == {"category_diversity": 0.1}


def test_a_strength_that_seems_to_gain_must_still_be_told_from_its_noise() -> None:
    """Every list is right with it, but 60 of 100 users' were without: 0.67 more, with an error of 0.08."""
    truth = [np.array([user]) for user in range(100)]

    def lists_with(strengths: Mapping[str, float]) -> list[RowArray]:
        found = 100 if strengths else 60
        return [np.array([user if user < found else -2, 1000 + user]) for user in range(100)]

    assert variety.find(lists_with, truth, gain=0.16) == {}
    assert variety.find(lists_with, truth, gain=0.17)["category_diversity"] == 0.1


def test_where_nothing_was_gained_nothing_is_tried() -> None:
    world = World()
    assert world.find(gain=0.0) == {}
    assert world.tried == []


def test_what_shows_no_more_items_is_not_worth_any_cost() -> None:
    truth = [np.array([user]) for user in range(100)]
    assert variety.find(lambda strengths: truth, truth, gain=0.5) == {"category_diversity": 0.1}


def test_lists_that_find_nothing_cannot_tell_a_cost() -> None:
    assert variety.find(lambda strengths: [np.array([7])] * 9, [np.array([8])] * 9, gain=0.5) == {}
