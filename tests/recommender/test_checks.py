"""A setting that cannot work is refused at start, by id, with what is allowed."""

from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from pytest_django import Settings

from recommender.checks import check_recipes, check_settings
from recommender.conf import DEFAULT_RECIPES


def ids(messages: list[Any]) -> list[str]:
    return [message.id for message in messages]


def test_the_defaults_pass() -> None:
    assert check_settings(None) == []
    assert check_recipes(None) == []


def test_the_checks_are_bound_to_check(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {"broken": {"sources": {}}}
    settings.RECOMMENDER_RECEIPTS = {}
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": "nowhere.Backend"}}
    found = {message.id for message in run_checks() if str(message.id).startswith("recommender.E")}
    assert found == {"recommender.E001", "recommender.E002", "recommender.E004"}


def test_a_misspelt_setting_is_named(settings: Settings) -> None:
    settings.RECOMMENDER_RECEIPTS = {}
    (message,) = check_settings(None)
    assert (message.id, message.msg) == ("recommender.E004", "There is no setting RECOMMENDER_RECEIPTS.")
    assert "RECOMMENDER_RECIPES" in message.hint


def test_a_recipe_with_an_unknown_stage_is_named(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {**DEFAULT_RECIPES, "mine": {"sources": {"psychic": {}}}}
    (message,) = check_recipes(None)
    assert message.id == "recommender.E002"
    assert "'mine'" in message.msg
    assert "'psychic'" in message.msg


def test_a_fallback_that_does_not_exist_is_named(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {"mine": {"sources": {"popular": {}}, "fallback": "nothing"}}
    (message,) = check_recipes(None)
    assert (message.id, message.msg) == ("recommender.E003", "Recipe 'mine' falls back mine → nothing.")


def test_fallbacks_in_a_circle_are_named(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {
        "one": {"sources": {"popular": {}}, "fallback": "two"},
        "two": {"sources": {"popular": {}}, "fallback": "one"},
    }
    messages = check_recipes(None)
    assert ids(messages) == ["recommender.E003", "recommender.E003"]
    assert messages[0].msg == "Recipe 'one' falls back one → two → one."
