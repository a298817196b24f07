"""Measures a model the way it serves: the same pipeline, every unseen item ranked, business rules off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from recommender.arrays import RowArray
from recommender.contracts import Candidates, History, Query
from recommender.history import longest
from recommender.pipeline import model_view, recipes, runner
from recommender.pipeline.model_view import ModelView
from recommender.pipeline.trace import Trace
from recommender.registry.artifacts import Bundle
from recommender.sources.top_rows import top_rows
from recommender.training.dataset import Interactions
from recommender.training.metrics import Metrics, measure
from recommender.training.parallel import in_parallel
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
    query_of = asking(history_data, catalogue, view)

    def ranked(user: int) -> tuple[RowArray, dict[str, RowArray]]:
        query = query_of(user)
        candidates = runner.gather(recipe, query, Trace())
        alone = lists_alone(candidates)
        return runner.rank(recipe, query, candidates, Trace()).rows, alone

    lists, alone = [], []
    for final, by_source in in_parallel(ranked, users):
        lists.append(final)
        alone.append(by_source)
        progress()
    return measured(lists, alone, held_out, users, history_data, bundle, k=k, catalogue_size=catalogue_size)


def measured(
    lists: list[RowArray],
    alone: Sequence[dict[str, RowArray]],
    held_out: Sequence[NDArray[np.int64]],
    users: Sequence[int],
    history_data: Interactions,
    bundle: Bundle,
    *,
    k: int = 10,
    catalogue_size: int | None = None,
) -> Evaluation:
    """Return the figures of the final `lists` and of each source's, one a user, as `evaluate` does."""
    nothing = np.empty(0, dtype=np.int64)
    names = sorted(set().union(*alone)) if alone else []
    by_source = {name: [found.get(name, nothing) for found in alone] for name in names}
    size = catalogue_size or history_data.n_items
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


def lists_alone(candidates: Candidates) -> dict[str, RowArray]:
    """Return what each source alone would show: it proposed its best itself, so they are among the candidates."""
    lists = {}
    for name, scores in candidates.source_scores.items():
        if "." not in name and np.isfinite(scores).any():
            lists[name] = candidates.rows[top_rows(scores, LIST_LENGTH)]
    return lists


def asking(data: Interactions, catalogue: Catalogue, view: ModelView) -> Callable[[int], Query]:
    """Return what makes of a user row the request he would have made right after his last event in `data`."""
    starts = data.user_starts()
    now = float(data.occurred_at.max()) + 1 if len(data) else 0.0

    def query_of(user: int) -> Query:
        history = history_of(data, starts, user)
        return Query(
            user_id=str(user),
            limit=LIST_LENGTH,
            now=now,
            asked_at=float(history.occurred_at[0]) if data.ordered and len(history.rows) else now,
            catalogue=catalogue,
            model=view,
            history=history,
        )

    return query_of


def history_of(data: Interactions, starts: NDArray[np.int64], user: int) -> History:
    """Return what serving would know of `user` (a user row; beyond the last one: nothing) from `data`."""
    if user >= data.n_users:
        return History.empty()
    span = slice(int(starts[user]), int(starts[user + 1]))
    newest_first, most = slice(None, None, -1), longest(ordered=data.ordered)
    items = data.items[span]
    return History(
        rows=items[newest_first][:most],
        weights=data.weights[span][newest_first][:most],
        occurred_at=data.occurred_at[span][newest_first][:most],
        seen=np.sort(items),
    )
