from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.contracts import Candidates, Query
from recommender.pipeline import recipes, runner
from recommender.pipeline.explanations import Explanation, explain
from recommender.pipeline.reasons import sentence
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.trace import Trace
from recommender.rerankers.business_rules import BusinessRules
from recommender.rules.compile import CompiledRules
from recommender.rules.placing import Pin
from tests.recommender.worlds import bundle_of, catalogue_of, day, history_of, query_of

CATALOGUE = catalogue_of({"title": "Heat"}, {"title": "Alien"}, {}, {}, {"published_at": day(2)}, {})
"""Rows 0 and 1 are the history; 2 and 3 are like them; 4 is popular; 5 is newer than the model."""
WEIGHTS = np.zeros((5, 5))
WEIGHTS[0, 2], WEIGHTS[1, 2], WEIGHTS[1, 3] = 0.2, 0.6, 0.5
BUNDLE = bundle_of([10, 20, 30, 40, 50], item_to_item=WEIGHTS, popularity=[0, 0, 0, 0, 99])
HISTORY = history_of([0, 1])


def build(settings: Any, sources: dict[str, Any]) -> Recipe:
    settings.RECOMMENDER_RECIPES = {
        "mine": {"sources": sources, "filters": ["seen", "excluded"], "scorers": ["weighted_blend"]}
    }
    return recipes.get("mine")


@pytest.fixture
def mine(settings: Any) -> Recipe:
    return build(settings, {"item_to_item": {"weight": 1.0}, "popular": {"weight": 0.5}})


def explained(recipe: Recipe, query: Query) -> tuple[Candidates, list[Explanation]]:
    shown = runner.run(recipe, query, Trace())
    return shown, explain(recipe, query, shown)


def test_the_reason_names_the_source_and_the_history_item_behind_the_score(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=HISTORY)
    shown, reasons = explained(mine, query)
    by_row = dict(zip(shown.rows.tolist(), reasons, strict=True))
    # 0.2 of row 2's 0.8 came from Heat, 0.6 from Alien. But without Alien row 3 would have nothing at all, and row 2
    # stand out all the more: only Heat lifts it.
    assert (by_row[2].source, by_row[2].because_of) == ("item_to_item", 0)
    assert by_row[2].share == pytest.approx(0.25)
    assert (by_row[3].source, by_row[3].because_of, by_row[3].share) == ("item_to_item", 1, 1.0)
    assert (by_row[4].source, by_row[4].because_of, by_row[4].share) == ("popular", None, 0.0)
    sentences = {row: sentence(reason, query, row) for row, reason in by_row.items()}
    assert sentences[2] == "Because you watched Heat"
    assert sentences[4] == "Popular right now"


def test_without_the_item_it_names_a_candidate_scores_less(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=HISTORY)
    shown, reasons = explained(mine, query)
    named = 0
    for place, reason in enumerate(reasons):
        if reason.because_of is None:
            continue
        rest = [other for other in HISTORY.rows.tolist() if other != reason.because_of]
        without = query_of(CATALOGUE, BUNDLE, history=replace(history_of(rest), seen=HISTORY.seen))
        again = runner.rescore(mine, without, np.sort(shown.rows))
        [after] = again.score[again.rows == shown.rows[place]]
        assert after < shown.score[place]
        named += 1
    assert named == 2


def test_a_reason_that_does_not_prove_to_be_one_is_not_named(settings: Any) -> None:
    """Without either item everything it lifts is lifted less alike: no score falls, and no title is named."""
    weights = np.zeros((5, 5))
    weights[0, 2], weights[1, 2] = 0.4, 0.4
    bundle = bundle_of([10, 20, 30, 40, 50], item_to_item=weights)
    query = query_of(CATALOGUE, bundle, history=HISTORY, exclude=np.array([5]))
    recipe = build(settings, {"item_to_item": {"weight": 1.0}, "popular": {"weight": 0.0}})
    shown, [reason, *_] = explained(recipe, query)
    assert shown.rows[0] == 2
    assert (reason.because_of, reason.share) == (None, 0.5)
    assert sentence(reason, query, 2) == "Picked for you"


def test_a_pinned_item_is_the_editors_choice(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=HISTORY, rules=CompiledRules(pins=(Pin(0, 3, 1), Pin(1, 5, 2))))
    shown, reasons = explained(replace(mine, rerankers=(BusinessRules(),)), query)
    assert shown.rows[:2].tolist() == [3, 5]
    assert [(reason.source, reason.because_of) for reason in reasons[:2]] == [("rule", None)] * 2
    assert sentence(reasons[0], query, 3) == "Picked by our editors"


def test_a_list_about_an_item_names_it(mine: Recipe) -> None:
    similar = query_of(CATALOGUE, BUNDLE, seed=1)
    shown, reasons = explained(mine, similar)
    assert shown.rows[0] == 2
    assert sentence(reasons[0], similar, 2) == "Similar to Alien"
    watched = query_of(CATALOGUE, BUNDLE, seed=1, seed_is_from_history=True)
    _, reasons = explained(mine, watched)
    assert sentence(reasons[0], watched, 2) == "Because you watched Alien"


def test_a_list_of_one_has_its_true_reason_too(settings: Any) -> None:
    """One candidate cannot be compared with others: no source has a spread, but the history item is known."""
    only = build(settings, {"item_to_item": {"weight": 1.0}})
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0]))
    shown, reasons = explained(only, query)
    assert shown.rows.tolist() == [2]
    assert reasons == [Explanation(source="item_to_item", because_of=0, share=1.0)]


def test_what_is_new_says_when_it_came_out(settings: Any) -> None:
    fresh = build(settings, {"new_items": {"weight": 1.0}, "popular": {"weight": 0.1}})
    catalogue = catalogue_of({"published_at": day(9)}, {"published_at": day(1)})
    query = query_of(catalogue)
    shown, reasons = explained(fresh, query)
    assert shown.rows.tolist() == [0, 1]
    assert sentence(reasons[0], query, 0) == "New: released in 2024"


def test_no_candidates_need_no_reason(mine: Recipe) -> None:
    assert explain(mine, query_of(CATALOGUE, BUNDLE, history=HISTORY), Candidates.of(np.empty(0, np.int64))) == []


def test_the_wording_is_a_setting(settings: Any, mine: Recipe) -> None:
    settings.RECOMMENDER_REASONS = {
        "history": "Weil Sie {title} gesehen haben", "seed": "", "popular": "", "new": "", "rule": "",
    }  # fmt: skip
    query = query_of(CATALOGUE, BUNDLE, history=HISTORY)
    reason = Explanation(source="item_to_item", because_of=0, share=1.0)
    assert sentence(reason, query, 2) == "Weil Sie Heat gesehen haben"
