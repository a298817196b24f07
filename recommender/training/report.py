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


def report(
    lists: Sequence[RowArray],
    relevant: Sequence[RowArray],
    *,
    history_lengths: NDArray[np.int64],
    item_popularity: NDArray[np.float64],
    vectors: FloatArray,
    popular_lists: Sequence[RowArray],
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
        (items, d) float32 content vectors.
    popular_lists
        What the popular list would have shown to each user.
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
    popularity = np.asarray(item_popularity, dtype=np.float64)
    top = metrics.padded(lists, k)
    hit = metrics.hits(top, relevant)
    accuracy = metrics.per_user(hit, metrics.counts(relevant))
    beyond = {
        "intra_list_diversity": beyond_accuracy.intra_list_diversity(top, vectors),
        "novelty": beyond_accuracy.novelty(top, popularity),
        "serendipity": beyond_accuracy.serendipity(top, hit, metrics.padded(popular_lists, k)),
        "popularity_bias": beyond_accuracy.popularity_bias(top, popularity),
        "average_popularity": beyond_accuracy.average_popularity(top, popularity),
    }
    n_items = len(popularity)
    of_catalogue = {
        "coverage": len(metrics.shown(top)) / max(catalogue_size or n_items, 1),
        "gini": beyond_accuracy.gini(top, n_items),
        "cold_item_coverage": beyond_accuracy.cold_item_coverage(top, popularity),
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
