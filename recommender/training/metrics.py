"""Ranking metrics over full lists: every unseen item could have been recommended, none is sampled away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


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


def measure(lists: Sequence[Rows], relevant: Sequence[Rows], *, k: int, catalogue_size: int) -> Metrics:
    """Return the metrics at `k` of one ranked list a user against the items held out for him.

    Parameters
    ----------
    lists
        One array of item rows a user, best first; shorter than `k` (or empty) counts as misses.
    relevant
        One non-empty array of item rows a user, in the same order of users.
    """
    discounts = 1 / np.log2(np.arange(k) + 2)
    ideal = np.cumsum(discounts)
    totals = np.zeros(6)
    shown: set[int] = set()
    for ranked, wanted in zip(lists, relevant, strict=True):
        top = ranked[:k]
        shown.update(top.tolist())
        hits = np.isin(top, wanted)
        found = int(hits.sum())
        positions = np.flatnonzero(hits)
        totals += (
            (hits * discounts[: len(top)]).sum() / ideal[min(k, len(wanted)) - 1],
            found / len(wanted),
            found / k,
            ((np.arange(found) + 1) / (positions + 1)).sum() / min(k, len(wanted)),
            1 / (positions[0] + 1) if found else 0.0,
            float(found > 0),
        )
    means = totals / max(len(relevant), 1)
    return Metrics(
        ndcg=means[0],
        recall=means[1],
        precision=means[2],
        average_precision=means[3],
        reciprocal_rank=means[4],
        hit_rate=means[5],
        coverage=len(shown) / max(catalogue_size, 1),
        users=len(relevant),
    )
