"""Gets an answer out of a recipe, or out of its fallback: whatever is missing, there is a list."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from prometheus_client import Counter

from interactions.explored import SOURCE as EXPLORATION
from recommender.contracts import Candidates, Query, Recommendation
from recommender.pipeline import recipes, runner
from recommender.pipeline.explanations import Explanation, explain
from recommender.pipeline.reasons import sentences
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.runner import StageFailed
from recommender.pipeline.trace import Trace
from recommender.rerankers.business_rules import PLACED_BY
from recommender.rerankers.exploration import propensities, slot_of

logger = logging.getLogger(__name__)

FALLBACKS = Counter("recommender_fallbacks", "Lists answered by the fallback recipe, by reason.", ["reason"])


FOR_ANYBODY = ("popular", "trending", "unexplored")
"""Sources that make no personal list of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a recipe, or its fallback, came to."""

    recipe: str
    """The recipe that answered."""
    query: Query
    """What it was asked: a fallback is asked without a seed."""
    rows: tuple[int, ...]
    items: tuple[Recommendation, ...]
    fallback: bool
    fallback_reason: str
    trace: Trace


def answer(recipe_name: str, query: Query, *, known: bool) -> Answer:
    """Return the list of `recipe_name`, or its fallback's with the reason why.

    Parameters
    ----------
    known
        False when the user does not exist: a history-based recipe then falls back for "unknown_user".
    """
    recipe = recipes.get(recipe_name)
    trace = Trace()
    reason = obstacle(recipe_name, query, known=known)
    candidates = Candidates.of(np.empty(0, dtype=np.int64))
    if not reason:
        try:
            candidates = runner.run(recipe, query, trace)
            reason = "" if len(candidates) or not recipe.fallback else "no_candidates"
        except StageFailed as error:
            logger.warning("recipe %s failed: %s", recipe.name, error)
            reason = "backend_failed"
    if reason and recipe.fallback:
        recipe, query = recipes.get(recipe.fallback), _without_seed(query)
        try:
            candidates = runner.run(recipe, query, trace)
        except StageFailed as error:
            logger.error("fallback recipe %s failed: %s", recipe.name, error)
            reason = "backend_failed"
    if reason:
        FALLBACKS.labels(reason=reason).inc()
    return Answer(
        recipe=recipe.name,
        query=query,
        rows=tuple(candidates.rows.tolist()),
        items=_items(recipe, query, candidates),
        fallback=bool(reason),
        fallback_reason=reason,
        trace=trace,
    )


def obstacle(recipe_name: str, query: Query, *, known: bool) -> str:
    """Return why a personal recipe cannot be tried at all, "" when it can."""
    recipe = recipes.get(recipe_name)
    if all(not slot.source.enabled(query) or slot.source.name in FOR_ANYBODY for slot in recipe.sources):
        if not recipe.fallback:
            return ""
        if query.seed is None and not len(query.history.rows):
            return "no_history" if known else "unknown_user"
        return "no_model"
    if query.seed_is_from_history and query.seed is None and recipe.fallback:
        return "no_history" if known else "unknown_user"
    return ""


def _without_seed(query: Query) -> Query:
    """Return the query of a list that is about no item, and still does not hold the one it should have been about."""
    exclude = query.exclude if query.seed is None else np.append(query.exclude, query.seed)
    return replace(query, seed=None, seed_is_from_history=False, exclude=exclude, scratch={})


def _items(recipe: Recipe, query: Query, candidates: Candidates) -> tuple[Recommendation, ...]:
    if not len(candidates):
        return ()
    reasons, rows = explain(recipe, query, candidates), candidates.rows.tolist()
    slot = slot_of(query)
    if slot is not None and slot.row in rows:
        reasons[rows.index(slot.row)] = Explanation(source=EXPLORATION, because_of=None, share=0.0)
    scores = np.clip(np.nan_to_num(candidates.score), 0, 1).tolist()
    placed_by: dict[int, int] = query.scratch.get(PLACED_BY, {})
    return tuple(
        Recommendation(
            item_id=query.catalogue.cards[row].item_id,
            score=round(score, 6),
            reason=words,
            source=reason.source,
            card=query.catalogue.cards[row],
            propensity=propensity,
            rule=placed_by.get(row),
        )
        for row, score, reason, words, propensity in zip(
            rows,
            scores,
            reasons,
            sentences(reasons, query, rows),
            propensities(query, candidates).tolist(),
            strict=True,
        )
    )
