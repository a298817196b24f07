"""Measures a model the way it serves: the same pipeline, every unseen item ranked, business rules off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from recommender.arrays import RowArray
from recommender.contracts import History, Query
from recommender.history import HISTORY_ITEMS
from recommender.pipeline import model_view, recipes, runner
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.trace import Trace
from recommender.registry.artifacts import Bundle
from recommender.scorers.weighted_blend import WeightedBlend
from recommender.training.dataset import Interactions
from recommender.training.metrics import Metrics, measure
from recommender.training.report import reports

LIST_LENGTH = 20

Advance = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The metrics of the final list and of every source alone, and the final lists themselves."""

    final: Metrics
    sources: dict[str, Metrics]
    lists: list[RowArray] = field(repr=False)
    """One a user, best first, at most LIST_LENGTH catalogue rows."""
    reports: dict[str, dict[str, Any]] = field(repr=False)
    """The report on the final lists ("final") and on every source's: intervals, segments, and beyond accuracy."""


def evaluate(
    bundle: Bundle,
    catalogue: Catalogue,
    history_data: Interactions,
    held_out: Sequence[NDArray[np.int64]],
    users: Sequence[int],
    *,
    recipe_name: str = "personalized",
    k: int = 10,
    catalogue_size: int | None = None,
    progress: Advance = lambda: None,
) -> Evaluation:
    """Rank for each of `users` and compare with what he took later.

    Parameters
    ----------
    bundle
        Trained on `history_data` only.
    catalogue
        Its rows are the item rows of `history_data` and `held_out`.
    held_out
        One array of item rows for each of `users`, not empty; -1 stands for an item that could not be ranked.
    catalogue_size
        Items that coverage is a share of; all of the catalogue by default.
    progress
        Called after each user.
    """
    view = model_view.build(bundle, catalogue)
    recipe = recipes.get(recipe_name)
    # A source of no weight in the blend needs what only a request has (a country, preferences, impressions).
    alone = {slot.source.name: _alone(recipe, slot.source.name) for slot in recipe.sources if slot.weight}
    starts = history_data.user_starts()
    now = float(history_data.occurred_at.max()) + 1 if len(history_data) else 0.0
    lists: list[RowArray] = []
    by_source: dict[str, list[RowArray]] = {name: [] for name in alone}
    for user in users:
        query = Query(
            user_id=str(user),
            limit=LIST_LENGTH,
            now=now,
            catalogue=catalogue,
            model=view,
            history=history_of(history_data, starts, user),
        )
        lists.append(runner.run(recipe, query, Trace()).rows)
        for name, single in alone.items():
            by_source[name].append(runner.run(single, query, Trace()).rows)
        progress()
    size = catalogue_size or len(catalogue)
    return Evaluation(
        final=measure(lists, held_out, k=k, catalogue_size=size),
        sources={name: measure(found, held_out, k=k, catalogue_size=size) for name, found in by_source.items()},
        lists=lists,
        reports=reports(
            {"final": lists, **by_source},
            held_out,
            history=history_data,
            users=users,
            vectors=bundle.arrays.get("content.vectors"),
            k=k,
            catalogue_size=size,
        ),
    )


def history_of(data: Interactions, starts: NDArray[np.int64], user: int) -> History:
    """Return what serving would know of `user` (a user row; beyond the last one: nothing) from `data`."""
    if user >= data.n_users:
        return History.empty()
    span = slice(int(starts[user]), int(starts[user + 1]))
    newest_first = slice(None, None, -1)
    items = data.items[span]
    return History(
        rows=items[newest_first][:HISTORY_ITEMS],
        weights=data.weights[span][newest_first][:HISTORY_ITEMS],
        occurred_at=data.occurred_at[span][newest_first][:HISTORY_ITEMS],
        seen=np.sort(items),
    )


def _alone(recipe: Recipe, source: str) -> Recipe:
    """Return the recipe with one source only and no diversity."""
    slots = tuple(
        replace(slot, weight=1.0, n=slot.n or LIST_LENGTH) for slot in recipe.sources if slot.source.name == source
    )
    return replace(recipe, sources=slots, scorers=(WeightedBlend({source: 1.0}),), rerankers=())
