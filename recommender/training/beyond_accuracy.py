"""What accuracy does not see: how varied, new and surprising lists are, and how evenly they draw on the catalogue.

Everywhere `top` is (users, k) int64 item rows padded with NOTHING, and `popularity` is (items,) training interactions.
Figures of one user are nan where his list is too short to have one; they leave means alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.training.metrics import NOTHING, UserFigures, shown
from recommender.vector_index.base import unit_rows

COLD_BELOW = 5
"""Interactions below which an item counts as cold: too few for any model of behaviour to place it."""


def intra_list_diversity(top: RowArray, vectors: FloatArray) -> UserFigures:
    """Return each list's mean cosine distance over its pairs of items, 0 (all alike) to 2; nan below two items.

    Ziegler et al., "Improving recommendation lists through topic diversification", 2005, with distance for similarity.
    An item without content (a zero vector) is at distance 1 from every other.

    Parameters
    ----------
    vectors
        (items, d) float32 content vectors of any length.
    """
    # One row more, for NOTHING: −1 is the last.
    units = np.vstack([unit_rows(vectors), np.zeros((1, vectors.shape[1]), dtype=np.float32)])
    # The cosines of all ordered pairs, an item with itself included, sum to |Σ v|²: no pair is looked at singly.
    sums = np.zeros((len(top), units.shape[1]), dtype=np.float32)
    for column in top.T:
        sums += units[column]
    selves = (units != 0).any(axis=1)[top].sum(axis=1)
    lengths = _lengths(top)
    cosines = np.einsum("ij,ij->i", sums, sums, dtype=np.float64) - selves
    return 1 - _share(cosines, lengths * (lengths - 1))


def novelty(top: RowArray, popularity: NDArray[np.float64]) -> UserFigures:
    """Return each list's mean self-information in bits, −log2 p(i), p(i) being the item's share of all interactions.

    Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", 2010. An item that nobody has
    taken counts as taken once: it has no finite value of its own.
    """
    taken = np.maximum(popularity, 1)
    return _mean_of_shown(top, -np.log2(taken / max(popularity.sum(), 1)))


def popularity_bias(top: RowArray, popularity: NDArray[np.float64]) -> UserFigures:
    """Return each list's mean popularity percentile, 0..1: 0.5 is an even choice, near 1 only the most popular.

    The percentile of an item is the share of items less popular than it plus half the share of its equals.
    """
    ascending = np.sort(popularity)
    below, up_to = (np.searchsorted(ascending, popularity, side=side) for side in ("left", "right"))
    return _mean_of_shown(top, (below + up_to) / (2 * max(len(popularity), 1)))


def average_popularity(top: RowArray, popularity: NDArray[np.float64]) -> UserFigures:
    """Return each list's mean number of interactions (ARP; Yin et al., "Challenging the long tail", 2012)."""
    return _mean_of_shown(top, popularity)


def serendipity(top: RowArray, hit: BoolArray, popular: RowArray) -> UserFigures:
    """Return each list's share of items, of k, that were right and that the popular list would not have shown.

    |{i ∈ top-k : right} \\ popular top-k| / k: Ge, Delgado-Battenfeld and Jannach, "Beyond accuracy: evaluating
    recommender systems by coverage and serendipity", 2010, with popularity as the primitive recommender.

    Parameters
    ----------
    hit
        (users, k) bool, True where the item was right.
    popular
        (users, k) int64, padded: what the popular list would have shown to each user.
    """
    expected = (top[:, :, None] == popular[:, None, :]).any(axis=2)
    return np.asarray((hit & ~expected).sum(axis=1) / top.shape[1])


def gini(top: RowArray, n_items: int) -> float:
    """Return the Gini coefficient of how often each item is shown: 0 all equally often, towards 1 one item only.

    Σ (2 j − n − 1) x_j / (n Σ x) over ascending counts x_1..x_n; items never shown count as 0. nan when nothing is
    shown.
    """
    times = np.sort(np.bincount(top[top != NOTHING], minlength=n_items))
    places = 2 * np.arange(1, len(times) + 1) - len(times) - 1
    total = int(times.sum())
    return float(places @ times) / (len(times) * total) if total else float("nan")


def cold_item_coverage(top: RowArray, popularity: NDArray[np.float64], cold_below: int = COLD_BELOW) -> float:
    """Return the share of items with fewer than `cold_below` interactions that somebody is shown; nan without any."""
    cold = popularity < cold_below
    return float(cold[shown(top)].sum() / cold.sum()) if cold.any() else float("nan")


def _mean_of_shown(top: RowArray, values: NDArray[np.float64]) -> UserFigures:
    if not len(values):
        return np.full(len(top), np.nan)
    return _share(np.where(top != NOTHING, values[top], 0).sum(axis=1), _lengths(top))


def _lengths(top: RowArray) -> NDArray[np.int64]:
    return np.asarray((top != NOTHING).sum(axis=1), dtype=np.int64)


def _share(sums: NDArray[np.float64], of: NDArray[np.int64]) -> UserFigures:
    return np.asarray(np.divide(sums, of, out=np.full(len(sums), np.nan), where=of > 0))
