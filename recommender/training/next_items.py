"""What comes next, learned from order: a ridge regression from what was taken so far to what was taken soon after.

Where EASE asks "what goes with it?", this asks "what comes after it?": history and target lie on either side of a cut
through one user's events, so that the weights have a direction. W = (AᵀA + λI)⁻¹ AᵀY, one row of A and Y a cut:
A the recency-weighted history, as serving weighs it, Y the next few items, the nearer ones more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import RECENCY_FLOOR
from recommender.training import neighbour_matrix
from recommender.training.dataset import Interactions
from recommender.training.dense_items import dense_items
from recommender.training.neighbour_matrix import strongest_of_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class NextItemsParameters:
    """How cuts are laid and what they weigh."""

    regularization: float = 300.0
    """λ."""
    half_life: float = 6.0
    """Of the history's weights, in events; serving must use the same."""
    every: int = 5
    """Events between two cuts of one user."""
    ahead: int = 20
    """Events after a cut that are learned."""
    decay: float = 0.95
    """What each further step ahead still counts."""
    history: int = 150
    """Events before a cut that are looked at."""
    cuts: int = 60_000
    """At most, drawn evenly: time and memory stay bounded however many events there are."""
    neighbours: int = 400
    """Entries kept for each item, by absolute weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """The normal equations, ready to be solved for any λ."""

    items: RowArray
    """(n,) the items they are about."""
    left: FloatArray
    """(n, n), AᵀA."""
    right: FloatArray
    """(n, n), AᵀY."""
    n_items: int


def train(data: Interactions, parameters: NextItemsParameters, seed: int) -> sparse.csr_matrix:
    """Return (items, items) float32: row = item of the history, column = candidate."""
    normal = equations(data, parameters, seed, dense_items(data, matrices=4))
    return solve(normal, parameters.regularization, parameters.neighbours)


def equations(data: Interactions, parameters: NextItemsParameters, seed: int, items: RowArray) -> Normal:
    """Return the normal equations over `items`, ascending."""
    history, target = _cuts(data, parameters, seed)
    history, target = sparse.csr_matrix(history[:, items]), sparse.csr_matrix(target[:, items])
    return Normal(
        items=items,
        left=(history.T @ history).toarray(),
        right=(history.T @ target).toarray(),
        n_items=data.n_items,
    )


def solve(normal: Normal, regularization: float, neighbours: int) -> sparse.csr_matrix:
    """Return the weights for this λ, each row cut to its strongest entries."""
    shape = (normal.n_items, normal.n_items)
    if not len(normal.items):
        return neighbour_matrix.empty(normal.n_items)
    left = normal.left.copy()
    left[np.diag_indices_from(left)] += regularization
    with threadpool_limits(limits=None, user_api="blas"):
        weights = linalg.solve(left, normal.right, assume_a="pos", overwrite_a=True, check_finite=False)
    found = strongest_of_rows(np.asarray(weights, dtype=np.float32), neighbours).tocoo()
    return sparse.csr_matrix((found.data, (normal.items[found.row], normal.items[found.col])), shape=shape)


def _cuts(data: Interactions, parameters: NextItemsParameters, seed: int) -> tuple[sparse.csr_matrix, ...]:
    """Return (cuts, items) float32 twice: the weighted past and the weighted future of each cut."""
    starts = data.user_starts()
    counts = np.diff(starts)
    events = np.arange(len(data))
    place = events - np.repeat(starts[:-1], counts)
    to_the_end = np.repeat(counts, counts) - place
    cuts = events[(place >= 1) & (to_the_end % parameters.every == 0)]
    if len(cuts) > parameters.cuts:
        cuts = np.sort(np.random.default_rng(seed).choice(cuts, parameters.cuts, replace=False))
    users = data.users[cuts]
    behind = np.minimum(cuts - starts[users], parameters.history)
    ahead = np.minimum(starts[users + 1] - cuts, parameters.ahead)
    row, step = _expand(behind)
    before = cuts[row] - 1 - step
    past = (data.weights[before] * (0.5 ** (step / parameters.half_life) + RECENCY_FLOOR)).astype(np.float32)
    row_ahead, step_ahead = _expand(ahead)
    future = (parameters.decay**step_ahead).astype(np.float32)
    shape = (len(cuts), data.n_items)
    return (
        sparse.csr_matrix((past, (row, data.items[before])), shape=shape),
        sparse.csr_matrix((future, (row_ahead, data.items[cuts[row_ahead] + step_ahead])), shape=shape),
    )


def _expand(lengths: RowArray) -> tuple[RowArray, RowArray]:
    """Return for rows of these lengths each entry's row and its place in the row."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
