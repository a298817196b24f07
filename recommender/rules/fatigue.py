"""Not again after so many times shown without an act: which items a visitor is tired of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from recommender.arrays import RowArray, contains

SECONDS_A_DAY = 86_400
SECONDS_BITS = 23
NOTHING: RowArray = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatigue:
    """One rule: not again after `times` showings within `seconds`, counted since his last act with the item."""

    rule: int
    times: int
    seconds: float
    rows: RowArray | None
    """What it is about, ascending; None: everything."""


def tired(
    rules: Sequence[Fatigue],
    shown: NDArray[np.void],
    events: Callable[[], NDArray[np.void]],
    catalogue: Catalogue,
    now: float,
) -> RowArray:
    """Return the rows, ascending, that any of the rules keeps from being shown.

    Parameters
    ----------
    shown
        (n,) `interactions.shown.RECORD`s. What was shown twice within a second, in two rows of a page, was shown once.
    events
        Returns (m,) `interactions.feature_store.HISTORY_RECORD`s of the same user, of which any is an act; asked only
        where something was shown often enough.
    now
        POSIX seconds.
    """
    pks, ends, counts, seconds = _counted(shown, now - max(rule.seconds for rule in rules))
    found = [NOTHING]
    for rule in rules:
        often = np.flatnonzero(counts >= rule.times)
        # The last so many showings all lie after the one that is so many from the end.
        since = seconds[ends[often] - rule.times]
        recent = since > now - rule.seconds
        often, since = often[recent], since[recent]
        if len(often):
            rows = catalogue.rows_of_pks(pks[often][since > _last_act(pks[often], events())])
            rows = rows[rows >= 0]
            found.append(rows if rule.rows is None else rows[contains(rule.rows, rows)])
    return np.sort(found[1]) if len(found) == 2 else np.unique(np.concatenate(found))


def _counted(
    shown: NDArray[np.void], after: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return what was shown after a moment: the items ascending, where each ends in the last array, how often it was
    shown, and all their POSIX seconds, item by item and ascending, each once.
    """
    at = shown["at"].astype(np.int64)
    recent = at > after
    at, items = at[recent], shown["item"][recent]
    if not len(items):
        return NOTHING, NOTHING, NOTHING, NOTHING
    # One number for both: sorted five times as quickly as two columns. Nothing is kept for 2^23 s.
    first_at, first_item = at.min(), items.min()
    together = ((items - first_item) << SECONDS_BITS) | (at - first_at)
    together.sort()
    together = together[_begins(together)]
    items = together >> SECONDS_BITS
    begins = _begins(items)
    ends = np.concatenate([begins[1:], [len(items)]])
    seconds = (together & ((1 << SECONDS_BITS) - 1)) + first_at
    return items[begins] + first_item, ends, ends - begins, seconds


def _begins(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions at which a number stands for the first time."""
    first = np.ones(len(ascending), dtype=bool)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return np.flatnonzero(first)


def _last_act(pks: NDArray[np.int64], events: NDArray[np.void]) -> NDArray[np.float64]:
    """Return (len(pks),) POSIX seconds of the newest event with each of the items (ascending); -inf without any."""
    newest = np.full(len(pks), -np.inf)
    concerned = events[contains(pks, events["item"])]
    np.maximum.at(newest, np.searchsorted(pks, concerned["item"]), concerned["at"])
    return newest
