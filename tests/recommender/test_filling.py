"""A list that is short of its placement's minimum is filled up by the recipe that the placement names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.answering import answer
from recommender.rules import matching
from recommender.rules.compile import CompiledRules
from recommender.rules.placing import Cap, Pin
from tests.recommender.worlds import bundle_of, catalogue_of, query_of

STAGES = "tests.recommender.pipeline.stages_of_a_site."
CATALOGUE = catalogue_of(
    {"popularity": 9.0, "category": "war"},
    {"popularity": 5.0, "category": "war"},
    {"popularity": 7.0, "category": "love"},
    {"popularity": 1.0, "category": "love"},
    {"popularity": 3.0, "category": "war"},
)
"""a, c, b, e, d from most to least popular."""
WEIGHTS = np.zeros((5, 5))
WEIGHTS[0, 3] = 0.8
BUNDLE = bundle_of([10, 20, 30, 40, 50], item_to_item=WEIGHTS, popularity=[9, 5, 7, 1, 3])


@pytest.fixture(autouse=True)
def stages(settings: Any) -> dict[str, Any]:
    """Return a recipe that finds but what goes with the seed, and two that anybody can be answered by."""
    recipes: dict[str, Any] = {
        "similar": {
            "sources": {"item_to_item": {"weight": 1.0}},
            "filters": ["unavailable", "excluded", "ruled_out"],
            "scorers": ["weighted_blend"],
            "rerankers": ["business_rules"],
            "fallback": "none",
        },
        "popular": {
            "sources": {"popular": {"weight": 1.0}},
            "filters": ["unavailable", "excluded", "ruled_out"],
            "scorers": ["weighted_blend"],
            "rerankers": ["business_rules"],
        },
        "none": {
            "sources": {"popular": {"weight": 1.0}},
            "filters": [STAGES + "BrokenFilter"],
            "scorers": ["weighted_blend"],
            "fallback": "popular",
        },
    }
    settings.RECOMMENDER_RECIPES = recipes
    return recipes


def filled(seed: int = 0, minimum: int = 3, fallback: str = "popular", **fields: Any) -> Any:
    return answer(
        "similar", query_of(CATALOGUE, BUNDLE, seed=seed, **fields), known=True, fallback=fallback, minimum=minimum
    )


def ids(answered: Any) -> list[str]:
    return [item.item_id for item in answered.items]


def test_its_own_come_first_and_the_rest_of_the_row_is_filled() -> None:
    answered = filled()
    # Only d goes with a; behind it the others by popularity, never the seed.
    assert ids(answered) == ["d", "c", "b", "e"]
    assert (answered.recipe, answered.fallback, answered.fallback_reason) == ("similar", False, "")
    assert [item.reason for item in answered.items] == ["Similar to A", *["Popular right now"] * 3]
    assert [item.source for item in answered.items] == ["item_to_item", *["popular"] * 3]
    scores = [item.score for item in answered.items]
    assert scores == sorted(scores, reverse=True)


def test_no_more_than_the_row_holds_is_filled() -> None:
    assert ids(filled(limit=3)) == ["d", "c", "b"]


@pytest.mark.parametrize(("minimum", "fallback"), [(1, "popular"), (3, ""), (3, "similar")])
def test_a_list_that_is_long_enough_or_names_nothing_stays_as_it_is(minimum: int, fallback: str) -> None:
    assert ids(filled(minimum=minimum, fallback=fallback)) == ["d"]


def test_without_anything_of_its_own_the_named_recipe_answers() -> None:
    # Nothing goes with b.
    answered = filled(seed=1)
    assert (ids(answered), answered.recipe) == (["a", "c", "e", "d"], "popular")
    assert (answered.fallback, answered.fallback_reason) == (True, "no_candidates")


def test_a_pin_alone_is_nothing_of_its_own() -> None:
    answered = filled(seed=1, rules=CompiledRules(pins=(Pin(1, 3, 7),)))
    assert (ids(answered), answered.fallback) == (["a", "d", "c", "e"], True)


def test_the_rules_see_the_whole_list() -> None:
    war = Cap(at_most=1, window=5, values=matching.values_of(CATALOGUE, "category"))
    answered = filled(rules=CompiledRules(pins=(Pin(1, 1, 7),), caps=(war,)))
    # The pinned b is the one of war, d the one of love.
    assert ids(answered) == ["d", "b"]
    assert [item.rule for item in answered.items] == [None, 7]
    hidden = filled(rules=CompiledRules(hidden=np.array([False, False, True, False, False])))
    assert ids(hidden) == ["d", "b", "e"]
    boosted = filled(rules=CompiledRules(multiplier=np.array([1, 1, 1, 1, 100], dtype=np.float32)))
    assert ids(boosted) == ["e", "d", "c", "b"]


def test_boosts_count_once() -> None:
    twice = np.full(5, 0.5, dtype=np.float32)
    assert filled(rules=CompiledRules(multiplier=twice)).items[0].score == pytest.approx(
        0.5 * filled().items[0].score, abs=1e-6
    )


def test_where_filling_fails_its_own_stand_alone(stages: dict[str, Any]) -> None:
    answered = filled(fallback="none")
    assert (ids(answered), answered.fallback) == (["d"], False)
    assert answered.trace.errors == ["broken_filter: ConnectionResetError: gone"]


def test_a_fallback_that_finds_nothing_hands_over_to_its_own(stages: dict[str, Any]) -> None:
    stages["nothing"] = {**stages["similar"], "fallback": "popular"}
    answered = filled(seed=1, fallback="nothing")
    assert (ids(answered), answered.recipe) == (["a", "c", "e", "d"], "popular")
