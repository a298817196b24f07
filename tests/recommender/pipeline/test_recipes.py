from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings

from recommender import conf
from recommender.exceptions import ConfigurationError
from recommender.pipeline import recipes
from recommender.rerankers.category_diversity import CategoryDiversity
from recommender.scorers.weighted_blend import WeightedBlend
from recommender.sources.item_to_item import ItemToItem
from tests.recommender.pipeline.stages_of_a_site import Fixed

OWN = "tests.recommender.pipeline.stages_of_a_site."


@pytest.fixture
def define(settings: django_settings) -> Any:
    def define(**defined: dict[str, Any]) -> None:
        settings.RECOMMENDER_RECIPES = defined

    return define


@pytest.mark.parametrize("name", list(conf.DEFAULT_RECIPES))
def test_every_recipe_that_comes_with_the_project_can_be_built(name: str) -> None:
    built = recipes.get(name)
    assert built.name == name
    assert built.fallback in ("", *conf.DEFAULT_RECIPES)
    assert [stage.name for stage in built.rerankers][-1:] == ["business_rules"]
    assert {"unavailable", "excluded"} <= {stage.name for stage in built.filters}


def test_stages_are_built_with_their_options(define: Any) -> None:
    define(
        mine={
            "sources": {"item_to_item": {"weight": 0.5, "half_life": 3, "n": 0}, "popular": {}},
            "filters": ["seen"],
            "scorers": ["weighted_blend"],
            "rerankers": [{"category_diversity": {"strength": 0.7}}],
            "fallback": "trending",
        }
    )
    mine = recipes.get("mine")
    first, second = mine.sources
    assert isinstance(first.source, ItemToItem)
    assert (first.source.half_life, first.weight, first.n) == (3, 0.5, 0)
    assert (second.source.name, second.weight, second.n) == ("popular", 1.0, 100)
    assert isinstance(mine.scorers[0], WeightedBlend)
    assert mine.scorers[0].weights == {"item_to_item": 0.5, "popular": 1.0}
    assert isinstance(mine.rerankers[0], CategoryDiversity)
    assert mine.rerankers[0].strength == 0.7
    assert mine.fallback == "trending"


def test_a_recipe_is_built_once(define: Any) -> None:
    define(mine={"sources": {"popular": {}}})
    assert recipes.get("mine") is recipes.get("mine")
    define(mine={"sources": {"popular": {"weight": 2}}})
    assert recipes.get("mine").sources[0].weight == 2.0


def test_a_recipe_inherits_what_it_does_not_say(define: Any) -> None:
    define(
        base={"sources": {"popular": {"weight": 3}}, "filters": ["seen"], "fallback": "base"},
        middle={"extends": "base", "filters": []},
        leaf={"extends": "middle", "fallback": ""},
    )
    leaf = recipes.get("leaf")
    assert (leaf.sources[0].weight, leaf.filters, leaf.fallback) == (3.0, (), "")


def test_a_sites_own_stage_is_named_by_its_path(define: Any) -> None:
    define(mine={"sources": {OWN + "Fixed": {"rows": [2, 1], "weight": 0.25}}, "scorers": [OWN + "FirstScore"]})
    slot = recipes.get("mine").sources[0]
    assert isinstance(slot.source, Fixed)
    assert (slot.source.rows, slot.weight) == ([2, 1], 0.25)


SOURCES: dict[str, Any] = {"popular": {}}
MISSING = f'cannot be used: Module "{OWN[:-1]}" does not define a "Missing" attribute/class.'


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({}, "Recipe 'mine' has no sources."),
        ({"sources": {}}, "Recipe 'mine' has no sources."),
        ({"sources": SOURCES, "filter": ["seen"]}, "Recipe 'mine' has unknown parts: filter."),
        (
            {"extends": "absent"},
            "Recipe 'mine' extends 'absent', which does not exist or extends itself.",
        ),
        ({"extends": "mine"}, "Recipe 'mine' extends 'mine', which does not exist or extends itself."),
        (
            {"extends": "round"},
            "Recipe 'mine' extends 'mine', which does not exist or extends itself.",
        ),
        ({"sources": {"seen": {}}}, "Recipe 'mine': 'seen' is no source."),
        ({"sources": SOURCES, "filters": ["popular"]}, "Recipe 'mine': 'popular' is no filter."),
        ({"sources": SOURCES, "scorers": ["seen"]}, "Recipe 'mine': 'seen' is no scorer."),
        ({"sources": SOURCES, "rerankers": [{"seen": {}}]}, "Recipe 'mine': 'seen' is no reranker."),
        (
            {"sources": {"populer": {}}},
            "Recipe 'mine': 'populer' cannot be used: populer doesn't look like a module path.",
        ),
        (
            {"sources": {OWN + "Missing": {}}},
            f"Recipe 'mine': '{OWN}Missing' {MISSING}",
        ),
        (
            {"sources": {"popular": {"halflife": 3}}},
            "Recipe 'mine': 'popular' cannot be used: Popular() takes no arguments.",
        ),
        (
            {"sources": {OWN + "Broken": {"kind": "odd"}}},
            f"Recipe 'mine': '{OWN}Broken' cannot be used: kind is 'odd'.",
        ),
        (
            {"sources": {"popular": {"weight": "much"}}},
            "Recipe 'mine': weight and n of 'popular' must be numbers, not 'much' and 100.",
        ),
        (
            {"sources": {"popular": None}},
            "Recipe 'mine': the options of 'popular' must be a mapping, not None.",
        ),
        (
            {"sources": SOURCES, "rerankers": [{"category_diversity": None}]},
            "Recipe 'mine': the options of 'category_diversity' must be a mapping, not None.",
        ),
        (
            {"sources": SOURCES, "filters": [{"seen": {}, "excluded": {}}]},
            "Recipe 'mine': a stage is a name or {name: options}, not {'seen': {}, 'excluded': {}}.",
        ),
        (
            {"sources": SOURCES, "filters": "seen"},
            "Recipe 'mine': filters must be a list, not 'seen'.",
        ),
        (
            {"sources": {"item_to_item": {"half_life": {6}}}},
            "Recipe 'mine' must hold JSON values only: Object of type set is not JSON serializable.",
        ),
        (
            {"sources": ["popular"]},
            "Recipe 'mine': sources must be a mapping, not ['popular'].",
        ),
    ],
)
def test_a_wrong_recipe_is_refused_naming_the_part(define: Any, recipe: dict[str, Any], message: str) -> None:
    define(mine=recipe, round={"extends": "mine"})
    with pytest.raises(ConfigurationError) as refused:
        recipes.get("mine")
    assert str(refused.value) == message


def test_an_unknown_recipe_is_refused_naming_those_there_are(define: Any) -> None:
    define(b={"sources": SOURCES}, a={"sources": SOURCES})
    with pytest.raises(ConfigurationError, match=r"^There is no recipe 'c'; there are a, b\.$"):
        recipes.get("c")
