"""What models are trained on: who took which item when, as flat arrays, straight from Postgres.

Rows of the result are in user order and, within a user, in time order. Each (user, item) pair stands once: with the
time of its newest event and the largest weight of its events; a pair whose newest event has a weight of 0 or less
(disliked) is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from scipy import sparse

_FIELDS = {"user": ">i8", "item": ">i8", "type": ">i8", "occurred_at": ">f8", "value": ">f8"}
# One row of COPY … (FORMAT binary): a field count, then each field's length and its big-endian value.
_BINARY_ROW = np.dtype(
    [("fields", ">i2")] + [part for name, kind in _FIELDS.items() for part in ((f"{name}_length", ">i4"), (name, kind))]
)
_BINARY_HEADER_BYTES = 19
WeightsOf = Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float32]]

_COPY = """
    COPY (
        SELECT user_id, item_id, event_type_id, extract(epoch FROM occurred_at)::float8,
               coalesce(value, 'NaN'::float8)
        FROM interactions_event
    ) TO STDOUT (FORMAT binary)
"""


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
        return sparse.csr_matrix((self.weights, (self.users, self.items)), shape=shape, dtype=np.float32)

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
    order = np.lexsort((occurred_at, items, users))
    users, items, weights, occurred_at = users[order], items[order], weights[order], occurred_at[order]
    starts = np.flatnonzero(
        np.concatenate(([True], (users[1:] != users[:-1]) | (items[1:] != items[:-1]))) if len(users) else []
    )
    if not len(starts):
        empty = np.empty(0, dtype=np.int64)
        return Interactions(
            users=empty,
            items=empty,
            weights=np.empty(0, np.float32),
            occurred_at=np.empty(0, np.float64),
            n_users=n_users,
            n_items=n_items,
        )
    newest = np.append(starts[1:], len(users)) - 1
    largest = np.maximum.reduceat(weights, starts)
    wanted = weights[newest] > 0
    users, items, moments, largest = users[starts], items[starts], occurred_at[newest], largest
    by_time = np.lexsort((items, moments, users))
    by_time = by_time[wanted[by_time]]
    return Interactions(
        users=users[by_time],
        items=items[by_time],
        weights=largest[by_time].astype(np.float32),
        occurred_at=moments[by_time],
        n_users=n_users,
        n_items=n_items,
    )


def load(item_pks: NDArray[np.int64], weights_of: WeightsOf) -> tuple[Interactions, NDArray[np.int64]]:
    """Read all events on the given items from Postgres.

    Parameters
    ----------
    item_pks
        (items,) ascending primary keys: the rows of the result's items. Events on others are left out.
    weights_of
        Event type primary keys and values (nan = none) → training weights; events of weight 0 are left out.

    Returns
    -------
    The interactions, and (users,) primary keys of their user rows.
    """
    raw = _copy()
    weights = weights_of(raw["type"].astype(np.int64), raw["value"].astype(np.float64))
    rows = np.searchsorted(item_pks, raw["item"])
    known = (rows < len(item_pks)) & (weights != 0)
    known[known] = item_pks[rows[known]] == raw["item"][known]
    user_pks, user_rows = np.unique(raw["user"][known], return_inverse=True)
    return (
        interactions(
            users=user_rows.astype(np.int64),
            items=rows[known].astype(np.int64),
            weights=weights[known],
            occurred_at=raw["occurred_at"][known].astype(np.float64),
            n_users=len(user_pks),
            n_items=len(item_pks),
        ),
        user_pks.astype(np.int64),
    )


def _copy() -> NDArray[np.void]:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        data = b"".join(copy)
    return np.frombuffer(data, dtype=_BINARY_ROW, offset=_BINARY_HEADER_BYTES, count=_rows_in(data))


def _rows_in(data: bytes) -> int:
    # The header (19 bytes) and the trailer (a field count of -1) stand around rows of constant size.
    return (len(data) - _BINARY_HEADER_BYTES - 2) // _BINARY_ROW.itemsize
