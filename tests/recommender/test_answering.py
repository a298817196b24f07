from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from recommender.answering import answer, obstacle
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

STAGES = "tests.recommender.pipeline.stages_of_a_site."
CATALOGUE = catalogue_of({"popularity": 9.0}, {"popularity": 5.0}, {"popularity": 7.0}, {"popularity": 0.0})
WEIGHTS = np.zeros((4, 4))
WEIGHTS[0, 3] = 0.8
BUNDLE = bundle_of([10, 20, 30, 40], item_to_item=WEIGHTS, popularity=[9, 5, 7, 0])


@pytest.fixture(autouse=True)
def stages(settings: Any) -> dict[str, Any]:
    recipes: dict[str, Any] = {
        "personal": {
            "sources": {"item_to_item": {"weight": 1.0}, "popular": {"weight": 0.1}},
            "filters": ["unavailable", "excluded", "seen"],
            "scorers": ["weighted_blend"],
            "rerankers": ["business_rules"],
            "fallback": "popular",
        },
        "similar": {
            "sources": {"item_to_item": {"weight": 1.0}},
            "filters": ["excluded"],
            "scorers": ["weighted_blend"],
            "fallback": "popular",
        },
        "popular": {
            "sources": {"popular": {"weight": 1.0}},
            "filters": ["unavailable", "excluded", "seen"],
            "scorers": ["weighted_blend"],
        },
        "broken": {
            "sources": {"popular": {}},
            "filters": [STAGES + "BrokenFilter"],
            "scorers": ["weighted_blend"],
        },
    }
    settings.RECOMMENDER_RECIPES = recipes
    return recipes


def fallbacks(reason: str) -> float:
    return REGISTRY.get_sample_value("recommender_fallbacks_total", {"reason": reason}) or 0.0


def ids(answered: Any) -> list[str]:
    return [item.item_id for item in answered.items]


def test_a_recipe_answers_for_itself() -> None:
    answered = answer("personal", query_of(CATALOGUE, BUNDLE, history=history_of([0])), known=True)
    assert (answered.recipe, answered.fallback, answered.fallback_reason) == ("personal", False, "")
    # d goes with a: z of item_to_item √2 against −√0.5; popular counts a tenth, and c is more popular than b.
    assert ids(answered) == ["d", "c", "b"]
    assert answered.rows == (3, 2, 1)
    popular = np.log1p([5, 7, 0])
    z = (popular - popular.mean()) / popular.std()
    mean = (np.array([-(0.5**0.5), -(0.5**0.5), 2**0.5]) + 0.1 * z) / 1.1
    assert [item.score for item in answered.items] == pytest.approx((1 / (1 + np.exp(-mean)))[::-1], abs=1e-6)
    first = answered.items[0]
    assert (first.reason, first.source, first.card) == ("Because you watched A", "item_to_item", CATALOGUE.cards[3])


@pytest.mark.parametrize(
    ("fields", "with_model", "known", "reason"),
    [
        ({}, True, False, "unknown_user"),
        ({}, True, True, "no_history"),
        ({"history": history_of([0])}, False, True, "no_model"),
        ({"seed": 0}, False, True, "no_model"),
        ({"seed_is_from_history": True, "history": history_of([0])}, True, True, "no_history"),
        ({"history": history_of([0])}, True, False, ""),
    ],
)
def test_what_stands_in_the_way_is_named(fields: dict[str, Any], with_model: bool, known: bool, reason: str) -> None:
    query = query_of(CATALOGUE, BUNDLE if with_model else None, **fields)
    assert obstacle("personal", query, known=known) == reason
    before = fallbacks(reason) if reason else 0.0
    answered = answer("personal", query, known=known)
    assert (answered.fallback, answered.fallback_reason) == (bool(reason), reason)
    assert answered.recipe == ("popular" if reason else "personal")
    if reason:
        assert fallbacks(reason) == before + 1
        assert ids(answered)[0] == ("c" if fields.get("seed") == 0 or "history" in fields else "a")


def test_a_recipe_without_a_fallback_is_its_own_last_resort() -> None:
    assert obstacle("popular", query_of(CATALOGUE), known=False) == ""
    answered = answer("popular", query_of(CATALOGUE), known=False)
    assert (ids(answered), answered.fallback) == (["a", "c", "b", "d"], False)


def test_a_recipe_that_finds_nothing_falls_back_and_leaves_the_seed_out() -> None:
    # Nothing goes with b; c is excluded by the request.
    query = query_of(CATALOGUE, BUNDLE, seed=1, exclude=np.array([2]))
    answered = answer("similar", query, known=True)
    assert (answered.fallback, answered.fallback_reason) == (True, "no_candidates")
    assert ids(answered) == ["a", "d"]
    assert {item.reason for item in answered.items} == {"Popular right now"}


def test_a_failing_recipe_falls_back_and_the_trace_has_both(stages: dict[str, Any]) -> None:
    stages["personal"]["filters"] = [STAGES + "BrokenFilter"]
    answered = answer("personal", query_of(CATALOGUE, BUNDLE, history=history_of([0])), known=True)
    assert (answered.fallback, answered.fallback_reason, answered.recipe) == (True, "backend_failed", "popular")
    assert ids(answered) == ["c", "b", "d"]
    assert answered.trace.errors == ["broken_filter: ConnectionResetError: gone"]
    assert [step.stage for step in answered.trace.steps if step.kind == "filter"] == [
        "broken_filter", "unavailable", "excluded", "seen",
    ]  # fmt: skip


def test_when_the_fallback_fails_too_the_list_is_empty_not_unfiltered(stages: dict[str, Any]) -> None:
    stages["personal"]["fallback"] = "broken"
    answered = answer("personal", query_of(CATALOGUE, BUNDLE), known=True)
    assert (answered.items, answered.rows) == ((), ())
    assert (answered.fallback, answered.fallback_reason, answered.recipe) == (True, "backend_failed", "broken")


def test_wrong_code_is_not_covered_up(stages: dict[str, Any]) -> None:
    stages["personal"]["sources"][STAGES + "Broken"] = {"kind": "code"}
    with pytest.raises(ZeroDivisionError):
        answer("personal", query_of(CATALOGUE, BUNDLE, history=history_of([0])), known=True)


def test_scores_are_shown_from_nought_to_one(stages: dict[str, Any]) -> None:
    stages["own"] = {
        "sources": {STAGES + "Fixed": {"rows": [0, 1, 2, 3], "scores": [7.5, 0.1234567, -3.0, float("nan")]}},
        "scorers": [STAGES + "FirstScore"],
    }
    answered = answer("own", query_of(CATALOGUE), known=True)
    assert [(item.item_id, item.score) for item in answered.items] == [
        ("a", 1.0), ("b", 0.123457), ("c", 0.0), ("d", 0.0),
    ]  # fmt: skip
