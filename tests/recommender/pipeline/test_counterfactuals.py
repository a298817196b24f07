from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.pipeline import recipes, runner
from recommender.pipeline.counterfactuals import lowered_without, without
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.trace import Trace
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {}, {})
WEIGHTS = np.zeros((5, 5))
WEIGHTS[0, 2], WEIGHTS[1, 3], WEIGHTS[1, 4] = 0.9, 0.5, 0.1
BUNDLE = bundle_of([10, 20, 30, 40, 50], item_to_item=WEIGHTS, popularity=[0, 0, 3, 2, 1])


@pytest.fixture
def mine(settings: Any) -> Recipe:
    settings.RECOMMENDER_RECIPES = {
        "mine": {
            "sources": {"item_to_item": {"half_life": 1.0}, "popular": {"weight": 0.1}},
            "filters": ["seen"],
            "scorers": ["weighted_blend"],
        }
    }
    return recipes.get("mine")


def test_a_query_without_an_item_keeps_what_was_seen_and_shifts_the_rest() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1, 2], [1.0, 2.0, 3.0]))
    query.scratch["item_to_item"] = "work of the whole history"
    reduced = without(query, 1)
    assert reduced.history.rows.tolist() == [0, 2]
    assert reduced.history.weights.tolist() == [1.0, 3.0]
    assert reduced.history.seen.tolist() == query.history.seen.tolist() == [0, 1, 2]
    assert reduced.scratch == {}
    assert query.history.rows.tolist() == [0, 1, 2]


def test_only_the_item_that_lifts_a_candidate_lowers_it_by_going(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1]))
    ranked = runner.rank(mine, query, runner.gather(mine, query, Trace()), Trace())
    shown = np.array([2, 3])
    assert lowered_without(mine, query, ranked, shown, 0).tolist() == [True, False]
    assert lowered_without(mine, query, ranked, shown, 1).tolist() == [False, True]


def test_without_his_only_item_there_would_be_no_such_list(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([1]))
    ranked = runner.rank(mine, query, runner.gather(mine, query, Trace()), Trace())
    assert lowered_without(mine, query, ranked, np.array([3, 4]), 0).tolist() == [True, True]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_a_source_hands_on_is_what_it_would_compute_anew(mine: Recipe, place: int) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1, 2]))
    rows = np.array([3, 4])
    source = next(slot.source for slot in mine.sources if slot.source.name == "item_to_item")
    source.score(query, rows)
    primed, anew = without(query, place), without(query, place)
    source.prime(primed, query, place)
    assert "item_to_item" in primed.scratch
    assert source.score(primed, rows).tolist() == pytest.approx(source.score(anew, rows).tolist())
