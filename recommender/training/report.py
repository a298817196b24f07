"""All that is measured of one list a user, as a document: accuracy and the rest with intervals, and by segment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.training import beyond_accuracy, metrics
from recommender.training.bootstrap import intervals
from recommender.training.dataset import Interactions
from recommender.training.metrics import UserFigures
from recommender.training.segments import segments

DIGITS = 6
ACCURACY = {
    "ndcg": "NDCG",
    "recall": "recall",
    "precision": "precision",
    "average_precision": "MAP",
    "reciprocal_rank": "MRR",
    "hit_rate": "HR",
}
"""Name → what people call it."""
BEYOND_ACCURACY = {
    "coverage": "coverage",
    "gini": "Gini",
    "intra_list_diversity": "diversity",
    "novelty": "novelty (bits)",
    "serendipity": "serendipity",
    "popularity_bias": "popularity bias",
    "average_popularity": "average popularity",
    "cold_item_coverage": "cold items shown",
}
ByUser = Mapping[str, UserFigures]
Figure = dict[str, float | None]
""""mean", "low" and "high"."""


def reports(
    lists: Mapping[str, Sequence[RowArray]],
    relevant: Sequence[RowArray],
    *,
    history: Interactions,
    users: Sequence[int],
    vectors: FloatArray | None,
    k: int,
    catalogue_size: int | None = None,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return a report on each of several lists a user, by the name of the lists.

    Parameters
    ----------
    lists
        Name → one list a user. "popular" is what the popular list would have shown; without it there is no serendipity.
    history
        What was trained on.
    users
        The user row in `history` of each list; a row beyond the last one is somebody new.

    The rest is as for `report`.
    """
    lengths = np.append(np.diff(history.user_starts()), 0)[np.minimum(users, history.n_users)]
    popularity = np.bincount(history.items, minlength=history.n_items).astype(np.float64)
    return {
        name: report(
            ranked,
            relevant,
            history_lengths=lengths,
            item_popularity=popularity,
            vectors=vectors,
            popular_lists=lists.get("popular"),
            k=k,
            catalogue_size=catalogue_size,
            seed=seed,
        )
        for name, ranked in lists.items()
    }


def report(
    lists: Sequence[RowArray],
    relevant: Sequence[RowArray],
    *,
    history_lengths: NDArray[np.int64],
    item_popularity: NDArray[np.float64],
    vectors: FloatArray | None,
    popular_lists: Sequence[RowArray] | None,
    k: int,
    catalogue_size: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the figures at `k`, ready for JSON.

    Parameters
    ----------
    lists, relevant
        As for `metrics.measure`.
    history_lengths
        (users,) int64, items each user had taken before what is held out.
    item_popularity
        (items,) interactions that were trained on; the catalogue has as many items.
    vectors
        (items, d) float32 content vectors; None leaves diversity out.
    popular_lists
        What the popular list would have shown to each user; None leaves serendipity out.
    catalogue_size
        Items that coverage is a share of; all of the catalogue by default.
    seed
        Of the bootstrap; the same seed draws the same users for every list of theirs.

    Returns
    -------
    {"k", "users", "accuracy": figures, "beyond_accuracy": figures, "segments": {name: segment}}, where figures are
    {name: {"mean", "low", "high"}} with a 95 % interval, and a segment is {"users", "shortest_history",
    "longest_history", "accuracy": figures}. "low" and "high" are None where a figure is no mean over users (coverage,
    Gini, cold items); a figure that nobody has is None. A segment without users is left out.
    """
    top = metrics.padded(lists, k)
    hit = metrics.hits(top, relevant)
    accuracy = metrics.per_user(hit, metrics.counts(relevant))
    undefined = np.full(len(top), np.nan)
    beyond = {
        "intra_list_diversity": undefined if vectors is None else beyond_accuracy.intra_list_diversity(top, vectors),
        "novelty": beyond_accuracy.novelty(top, item_popularity),
        "serendipity": (
            undefined
            if popular_lists is None
            else beyond_accuracy.serendipity(top, hit, metrics.padded(popular_lists, k))
        ),
        "popularity_bias": beyond_accuracy.popularity_bias(top, item_popularity),
        "average_popularity": beyond_accuracy.average_popularity(top, item_popularity),
    }
    n_items = len(item_popularity)
    of_catalogue = {
        "coverage": len(metrics.shown(top)) / max(catalogue_size or n_items, 1),
        "gini": beyond_accuracy.gini(top, n_items),
        "cold_item_coverage": beyond_accuracy.cold_item_coverage(top, item_popularity),
    }
    groups = {name: users for name, users in segments(history_lengths).items() if users.any()}
    within = [_only(accuracy, users) for users in groups.values()]
    whole, *parts = _figures([{**accuracy, **beyond}, *within], seed)
    return {
        "k": k,
        "users": len(top),
        "accuracy": {name: whole[name] for name in accuracy},
        "beyond_accuracy": {
            **{name: whole[name] for name in beyond},
            **{name: {"mean": _number(value), "low": None, "high": None} for name, value in of_catalogue.items()},
        },
        "segments": {
            name: {
                "users": int(users.sum()),
                "shortest_history": int(history_lengths[users].min()),
                "longest_history": int(history_lengths[users].max()),
                "accuracy": part,
            }
            for (name, users), part in zip(groups.items(), parts, strict=True)
        },
    }


def readable(value: float | None) -> str:
    """Return four digits after the point for a share, two for bits and counts, a dash for nothing."""
    if value is None:
        return "–"
    return f"{value:.4f}" if value < 2 else f"{value:,.2f}"


def _only(figures: ByUser, users: BoolArray) -> ByUser:
    """Return the figures of `users`, nan for all others."""
    return {name: np.where(users, values, np.nan) for name, values in figures.items()}


def _figures(groups: Sequence[ByUser], seed: int) -> list[dict[str, Figure]]:
    """Return each group's figures; one bootstrap serves all, since drawing users is what takes its time."""
    columns = [values for group in groups for values in group.values()]
    found = intervals(np.column_stack(columns), seed=seed)
    figures = iter(
        {"mean": _number(mean), "low": _number(low), "high": _number(high)}
        for mean, low, high in zip(found.mean, found.low, found.high, strict=True)
    )
    return [{name: next(figures) for name in group} for group in groups]


def _number(value: float) -> float | None:
    return round(float(value), DIGITS) if math.isfinite(value) else None
