"""A list that is shorter than its placement wants, filled up by another recipe; the rules see the whole."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from recommender.arrays import RowArray
from recommender.contracts import Candidates, Query
from recommender.pipeline import runner
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.runner import StageFailed
from recommender.pipeline.trace import Trace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Filling:
    """What filled a list up, for whoever explains it."""

    recipe: Recipe
    query: Query
    rows: RowArray
    """What it proposed, ascending."""


def fill(
    recipe: Recipe, query: Query, own: Candidates, other: Recipe, trace: Trace
) -> tuple[Candidates, Filling] | None:
    """Return the list of `recipe` with what `other` finds behind its own; None when that fails.

    Parameters
    ----------
    own
        As `runner.order` returns them: before the rules.
    """
    asked = without_seed(query)
    # No second exploration slot: the list states one probability.
    asked = replace(asked, exclude=np.concatenate([asked.exclude, own.rows]), explored=None)
    try:
        behind = runner.order(other, asked, runner.gather(other, asked, trace), trace)
        whole = runner.finish(recipe, query, _together(own, behind), trace)
    except StageFailed as error:
        logger.warning("recipe %s could not fill up %s: %s", other.name, recipe.name, error)
        return None
    return whole, Filling(other, asked, np.sort(behind.rows))


def without_seed(query: Query) -> Query:
    """Return the query of a list that is about no item, and still does not hold the one it should have been about."""
    exclude = query.exclude if query.seed is None else np.append(query.exclude, query.seed)
    return replace(query, seed=None, seed_is_from_history=False, exclude=exclude, scratch={})


def _together(own: Candidates, behind: Candidates) -> Candidates:
    """Return both, their scores falling all along: the two recipes' mean different things."""
    names = dict.fromkeys([*own.source_scores, *behind.source_scores])
    lowest = np.min(own.score, where=np.isfinite(own.score), initial=np.inf)
    highest = np.max(behind.score, where=np.isfinite(behind.score), initial=-np.inf)
    scale = np.float32(lowest / highest if 0 <= lowest < highest else 1)
    return Candidates(
        rows=np.concatenate([own.rows, behind.rows]),
        source_scores={name: np.concatenate([_column(name, own), _column(name, behind)]) for name in names},
        score=np.concatenate([own.score, behind.score * scale]),
        pinned=np.concatenate([own.pinned, behind.pinned]),
    )


def _column(name: str, candidates: Candidates) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    unknown = np.full(len(candidates), np.nan, dtype=np.float32)
    return candidates.source_scores.get(name, unknown)
