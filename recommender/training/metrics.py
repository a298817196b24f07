"""Ranking accuracy over full lists: every unseen item could have been recommended, none is sampled away.

Users are rows: `padded` makes one array of all lists, `hits` says what in it was right, `per_user` measures each row,
so that means, intervals and segments are all taken from the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray, RowArray

UserFigures = NDArray[np.float64]
"""(users,) one figure a user; nan where it is not defined."""
NOTHING = -1
"""Fills a padded list after its last item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Means over users, each 0..1."""

    ndcg: float
    """Binary relevance, log2 discount; ideal list of min(k, held-out items)."""
    recall: float
    precision: float
    average_precision: float
    reciprocal_rank: float
    hit_rate: float
    coverage: float
    """Share of the catalogue that stands in at least one list."""
    users: int

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name, rounded to six digits."""
        return {name: round(float(value), 6) for name, value in asdict(self).items()}


def measure(lists: Sequence[RowArray], relevant: Sequence[RowArray], *, k: int, catalogue_size: int) -> Metrics:
    """Return the metrics at `k` of one ranked list a user against the items held out for him.

    Parameters
    ----------
    lists
        One array of item rows a user, best first; shorter than `k` (or empty) counts as misses. A (users, length)
        array padded with NOTHING will do.
    relevant
        One non-empty array of item rows a user, in the same order of users; negative rows are never found.
    """
    top = padded(lists, k)
    figures = per_user(hits(top, relevant), counts(relevant))
    means = {name: float(values.mean()) if len(values) else 0.0 for name, values in figures.items()}
    return Metrics(**means, coverage=len(shown(top)) / max(catalogue_size, 1), users=len(relevant))


def padded(lists: Sequence[RowArray] | RowArray, k: int) -> RowArray:
    """Return (users, k) int64 item rows, best first, each list cut to `k` or filled up with NOTHING."""
    cut = [ranked[:k] for ranked in lists]
    top = np.full((len(cut), k), NOTHING, dtype=np.int64)
    if cut:
        top[np.arange(k) < counts(cut)[:, None]] = np.concatenate(cut)
    return top


def counts(rows: Sequence[RowArray]) -> NDArray[np.int64]:
    """Return (users,) int64, how many rows each user has."""
    return np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))


def shown(top: RowArray) -> RowArray:
    """Return the distinct item rows that stand in a padded list, ascending."""
    return np.unique(top[top != NOTHING])


def hits(top: RowArray, relevant: Sequence[RowArray]) -> BoolArray:
    """Return (users, k) bool, True where a padded list has an item of `relevant`, one array a user."""
    items = np.concatenate([np.empty(0, dtype=np.int64), *relevant])
    users = np.repeat(np.arange(len(relevant)), counts(relevant))
    # One number a (user, item) pair, so that one sorted search answers for all users.
    n_items = int(max(items.max(initial=0), top.max(initial=0))) + 1
    wanted = np.sort((users * n_items + items)[items >= 0])
    if not len(wanted):
        return np.zeros(top.shape, dtype=np.bool_)
    pairs = np.arange(len(top))[:, None] * n_items + top
    nearest = np.minimum(np.searchsorted(wanted, pairs), len(wanted) - 1)
    return np.asarray((wanted[nearest] == pairs) & (top != NOTHING))


def per_user(hit: BoolArray, relevant_counts: NDArray[np.int64]) -> dict[str, UserFigures]:
    """Return each user's accuracy by name, as in `Metrics`.

    Parameters
    ----------
    hit
        (users, k) bool, True where the recommended item was right.
    relevant_counts
        (users,) int64, the items held out for each user, 1 at least.

    NDCG is Järvelin and Kekäläinen's (2002) with gain 1 / log2(rank + 1); average precision is divided by
    min(k, relevant), so that a list with nothing but right items has 1.
    """
    k = hit.shape[1]
    ranks = np.arange(1, k + 1)
    discounts = 1 / np.log2(ranks + 1)
    best = np.minimum(relevant_counts, k)
    found = hit.sum(axis=1)
    precision_at_rank = hit.cumsum(axis=1) / ranks
    return {
        "ndcg": hit @ discounts / np.cumsum(discounts)[best - 1],
        "recall": found / relevant_counts,
        "precision": found / k,
        "average_precision": (precision_at_rank * hit).sum(axis=1) / best,
        "reciprocal_rank": (hit / ranks).max(axis=1, initial=0.0),
        "hit_rate": (found > 0).astype(np.float64),
    }
