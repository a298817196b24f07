from __future__ import annotations

import json

import pytest
from pytest_django import Settings as DjangoSettings

from recommender.training.settings import untuned


def test_tuning_starts_at_the_configuration(settings: DjangoSettings) -> None:
    settings.RECOMMENDER_ALS = {"factors": 8}
    settings.RECOMMENDER_ITEM_TO_ITEM = {"regularization": 50.0}
    settings.RECOMMENDER_NEXT_ITEMS = {"regularization": 70.0}
    settings.RECOMMENDER_RANDOM_WALK = {"beta": 0.4}
    settings.RECOMMENDER_SESSION = {"window": 2}
    settings.RECOMMENDER_HALF_LIVES = {"item_to_item": None}
    found = untuned()
    assert (found.als.factors, found.random_walk.beta, found.session.window) == (8, 0.4, 2)
    assert (found.item_to_item.regularization, found.item_to_item.user_exponent) == (50.0, 0.0)
    assert (found.item_to_item_balanced.regularization, found.item_to_item_balanced.user_exponent) == (50.0, 0.5)
    assert found.next_items.regularization == 70.0
    assert found.half_lives == {"item_to_item": None}


def test_what_is_added_to_a_sum_grows_with_the_data() -> None:
    start = untuned()
    grown = start.for_more_data(1.25)
    assert grown.item_to_item.regularization == pytest.approx(1.25 * start.item_to_item.regularization)
    assert grown.item_to_item_balanced.regularization == pytest.approx(
        1.25 * start.item_to_item_balanced.regularization
    )
    assert grown.next_items.regularization == pytest.approx(1.25 * start.next_items.regularization)
    assert (grown.als, grown.session, grown.random_walk) == (start.als, start.session, start.random_walk)
    assert grown.half_lives == start.half_lives


def test_a_version_notes_them_as_json() -> None:
    found = json.loads(json.dumps(untuned().meta()))
    assert set(found) == {
        "collaborative", "item_to_item", "item_to_item_balanced", "next_items", "session", "random_walk", "half_lives",
    }  # fmt: skip
    assert found["half_lives"]["session"] == 4.0
    assert found["collaborative"]["alpha"] == 1.0
