"""Gets an answer out of a recipe, or out of its fallback: whatever is missing, there is a list."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from prometheus_client import Counter

from interactions.explored import SOURCE as EXPLORATION
from recommender.arrays import contains
from recommender.contracts import Candidates, Query, Recommendation
from recommender.filling import Filling, fill, without_seed
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


FOR_ANYBODY = ("popular", "trending", "unexplored", "category")
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


def answer(recipe_name: str, query: Query, *, known: bool, fallback: str = "", minimum: int = 0) -> Answer:
    """Return the list of `recipe_name`, filled up where it is short, or its fallback's with the reason why.

    Parameters
    ----------
    known
        False when the user does not exist: a history-based recipe then falls back for "unknown_user".
    fallback
        Recipe that the placement names: it answers where this one cannot, and fills up what it finds too little of. ""
        leaves it to the recipe's own, which fills nothing up.
    minimum
        Items with fewer of which a list is filled up.
    """
    recipe, trace = recipes.get(recipe_name, query.weights), Trace()
    stated = "" if fallback == recipe_name else fallback
    reason = obstacle(recipe_name, query, known=known)
    candidates, filling = Candidates.of(np.empty(0, dtype=np.int64)), None
    if not reason:
        try:
            own = runner.order(recipe, query, runner.gather(recipe, query, trace), trace)
            # A copy: the rules multiply its scores, and may be asked again.
            candidates = runner.finish(recipe, query, own.take(np.arange(len(own))), trace)
            if stated and len(own) and len(candidates) < minimum:
                candidates, filling = fill(recipe, query, own, recipes.get(stated), trace) or (candidates, None)
            is_empty = not len(candidates) or bool(stated and not len(own))
            reason = "no_candidates" if is_empty and (stated or recipe.fallback) else ""
        except StageFailed as error:
            logger.warning("recipe %s failed: %s", recipe.name, error)
            reason = "backend_failed"
    following = stated or recipe.fallback
    if reason and following:
        query = without_seed(query)
    while reason and following:
        recipe = recipes.get(following)
        try:
            candidates = runner.run(recipe, query, trace)
        except StageFailed as error:
            logger.error("fallback recipe %s failed: %s", recipe.name, error)
            reason = "backend_failed"
        following = "" if len(candidates) else recipe.fallback
        query = replace(query, scratch={}) if following else query
    if reason:
        FALLBACKS.labels(reason=reason).inc()
    return Answer(
        recipe=recipe.name,
        query=query,
        rows=tuple(candidates.rows.tolist()),
        items=_items(recipe, query, candidates, filling),
        fallback=bool(reason),
        fallback_reason=reason,
        trace=trace,
    )


def nothing(recipe_name: str, query: Query) -> Answer:
    """Return the empty list that a variant without recommendations shows."""
    return Answer(recipe=recipe_name, query=query, rows=(), items=(), fallback=False, fallback_reason="", trace=Trace())


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


def _items(recipe: Recipe, query: Query, candidates: Candidates, filling: Filling | None) -> tuple[Recommendation, ...]:
    if not len(candidates):
        return ()
    rows = candidates.rows.tolist()
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
        for row, score, (reason, words), propensity in zip(
            rows,
            scores,
            _explained(recipe, query, candidates) if filling is None else _both(recipe, query, candidates, filling),
            propensities(query, candidates).tolist(),
            strict=True,
        )
    )


def _both(recipe: Recipe, query: Query, candidates: Candidates, filling: Filling) -> list[tuple[Explanation, str]]:
    """Return the reasons of a list that was filled up, each as the recipe gives it that found the item."""
    filled = contains(filling.rows, candidates.rows)
    own = iter(_explained(recipe, query, candidates.take(~filled)))
    others = iter(_explained(filling.recipe, filling.query, candidates.take(filled)))
    return [next(others if by_other else own) for by_other in filled.tolist()]


def _explained(recipe: Recipe, query: Query, shown: Candidates) -> list[tuple[Explanation, str]]:
    """Return the reason of each item, and its words."""
    if not len(shown):
        return []
    reasons, rows = explain(recipe, query, shown), shown.rows.tolist()
    slot = slot_of(query)
    if slot is not None and slot.row in rows:
        reasons[rows.index(slot.row)] = Explanation(source=EXPLORATION, because_of=None, share=0.0)
    return list(zip(reasons, sentences(reasons, query, rows), strict=True))
