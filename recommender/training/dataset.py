"""What models are trained on: who took which item when, as flat arrays, straight from Postgres.

Rows of the result are in user order and, within a user, in time order. Each (user, item) pair stands once: with the
time of its newest event and the largest weight of its events; a pair whose newest event has a weight of 0 or less
(disliked) is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.training import stored_events

WeightsOf = Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """Distinct (user, item) pairs, by user and then by time, oldest first."""

    users: NDArray[np.int64]
    """(pairs,) user row, 0..n_users-1, ascending."""
    items: NDArray[np.int64]
    """(pairs,) item row, 0..n_items-1."""
    weights: NDArray[np.float32]
    """(pairs,) positive training weight."""
    occurred_at: NDArray[np.float64]
    """(pairs,) POSIX seconds."""
    n_users: int
    n_items: int
    ordered: bool = True
    """False when `occurred_at` says nothing about what came before what."""

    def __len__(self) -> int:
        return len(self.users)

    def matrix(self) -> sparse.csr_matrix:
        """Return (users, items) float32, the weight of each pair, 0 where there was none."""
        shape = (self.n_users, self.n_items)
        # A copy of the weights: what a trainer does to its matrix must not come back here.
        matrix = sparse.csr_matrix((self.weights.copy(), self.items, self.user_starts()), shape=shape)
        matrix.sort_indices()
        return matrix

    def take(self, mask: NDArray[np.bool_]) -> Interactions:
        """Return the pairs where `mask` is True, with the same user and item rows."""
        return Interactions(
            users=self.users[mask],
            items=self.items[mask],
            weights=self.weights[mask],
            occurred_at=self.occurred_at[mask],
            n_users=self.n_users,
            n_items=self.n_items,
            ordered=self.ordered,
        )

    def user_starts(self) -> NDArray[np.int64]:
        """Return (n_users + 1,) positions: user u's pairs are starts[u]:starts[u + 1]."""
        return np.searchsorted(self.users, np.arange(self.n_users + 1)).astype(np.int64)


def interactions(
    *,
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    weights: NDArray[np.float32],
    occurred_at: NDArray[np.float64],
    n_users: int,
    n_items: int,
) -> Interactions:
    """Return the distinct pairs of raw events (arrays of one entry an event, in any order)."""
    pairs = users * n_items + items
    order = np.lexsort((occurred_at, pairs))
    pairs, weights, occurred_at = pairs[order], weights[order], occurred_at[order]
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    newest = np.append(starts[1:], len(pairs))[: len(starts)] - 1
    largest = np.maximum.reduceat(weights, starts) if len(starts) else weights
    wanted = weights[newest] > 0
    pairs, largest, moments = pairs[starts][wanted], largest[wanted], occurred_at[newest][wanted]
    users, items = np.divmod(pairs, n_items) if n_items else (pairs, pairs)
    # By item already, and the sort is stable: equal moments stay so.
    by_time = np.lexsort((moments, users))
    return Interactions(
        users=users[by_time],
        items=items[by_time],
        weights=largest[by_time],
        occurred_at=moments[by_time],
        n_users=n_users,
        n_items=n_items,
    )


def load(
    item_pks: NDArray[np.int64],
    weights_of: WeightsOf,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Interactions, NDArray[np.int64]]:
    """Read all events on the given items from Postgres.

    Parameters
    ----------
    item_pks
        (items,) ascending primary keys: the rows of the result's items. Events on others are left out.
    weights_of
        Event type primary keys and values (nan = none) → training weights; events of weight 0 are left out.
    progress
        Called with the pieces read so far and how many there are at most.

    Returns
    -------
    The interactions, and (users,) primary keys of their user rows.
    """
    users: list[NDArray[np.int64]] = []
    items: list[NDArray[np.int32]] = []
    weights: list[NDArray[np.float32]] = []
    moments: list[NDArray[np.float64]] = []
    for piece in stored_events.pieces(progress):
        user, item, weight, moment = known_events(piece, item_pks, weights_of)
        users.append(user)
        items.append(item)
        weights.append(weight)
        moments.append(moment)
    user_pks, user_rows = np.unique(_together(users, np.int64), return_inverse=True)
    return (
        interactions(
            users=user_rows,
            items=_together(items, np.int64),
            weights=_together(weights, np.float32),
            occurred_at=_together(moments, np.float64),
            n_users=len(user_pks),
            n_items=len(item_pks),
        ),
        user_pks,
    )


def known_events(
    piece: NDArray[np.void], item_pks: NDArray[np.int64], weights_of: WeightsOf
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float64]]:
    """Return users' primary keys, item rows, weights and POSIX seconds of the events of a piece (`stored_events`).

    Events on items that are not among `item_pks`, (items,) ascending, and events of weight 0 are left out.
    """
    weight = weights_of(piece["type"].astype(np.int64), piece["value"].astype(np.float64))
    rows = np.searchsorted(item_pks, piece["item"].astype(np.int64))
    known = (rows < len(item_pks)) & (weight != 0)
    known[known] = item_pks[rows[known]] == piece["item"][known]
    return (
        piece["user"][known].astype(np.int64),
        rows[known].astype(np.int32),
        weight[known],
        piece["occurred_at"][known] / 1e6 + stored_events.EPOCH,
    )


def _together(parts: list[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    """Return the parts as one array, and let go of them."""
    whole = np.concatenate([np.empty(0, dtype=kind), *parts])
    parts.clear()
    return whole
