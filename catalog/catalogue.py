"""All items as requests read them: one array a column, and the cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.cards import Cards, RowsByItemId, positions

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Availability:
    """Which items may be shown, and the moments between which that is so."""

    since: float
    until: float
    mask: BoolArray

    @classmethod
    def at(cls, now: float, catalogue: Catalogue) -> _Availability:
        """Return what holds at POSIX time `now`, until the next item comes or goes."""
        moments = np.concatenate([catalogue.available_from, catalogue.available_until])
        mask = catalogue.is_active & (catalogue.available_from <= now) & (now < catalogue.available_until)
        mask.flags.writeable = False
        since = np.max(moments, initial=-np.inf, where=moments <= now)
        until = np.min(moments, initial=np.inf, where=moments > now)
        return cls(float(since), float(until), mask)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All items in primary-key order. Every array has one entry a row and may be mapped from a file."""

    revision: int
    """That it was read for."""
    pks: IntArray
    """(items,) int64, ascending primary keys."""
    cards: Cards
    """What each item says about itself, decoded when it is asked for."""
    is_active: BoolArray
    available_from: NDArray[np.float64]
    """(items,) POSIX seconds; -inf when unlimited."""
    available_until: NDArray[np.float64]
    """(items,) POSIX seconds; +inf when unlimited."""
    published_at: NDArray[np.float64]
    """(items,) POSIX seconds; nan when unknown."""
    created_at: NDArray[np.float64]
    """(items,) POSIX seconds at which the item entered the catalogue."""
    popularity: NDArray[np.float32]
    """(items,) rolling, decayed count of events when the process first read the item, ≥ 0."""
    categories: list[str]
    """Distinct categories; `category_codes` index it."""
    category_codes: NDArray[np.int32]
    item_revisions: IntArray
    """(items,) int64 revision of the catalogue that changed the item last."""
    read_at: int = 0
    """The database's own revision when it was read: what has a higher one is not in it."""
    removals: int = 0
    """The database's revision of removals."""
    _availability: _Availability | None = field(default=None, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.pks)

    @cached_property
    def row_of(self) -> RowsByItemId:
        """External item id → row."""
        return RowsByItemId(self.cards)

    @cached_property
    def median_created_at(self) -> float:
        """POSIX seconds at which the median item came in; -inf for an empty catalogue."""
        return float(np.median(self.created_at)) if len(self) else -np.inf

    def rows_of_pks(self, pks: IntArray) -> IntArray:
        """Return the row of each primary key, -1 where the catalogue has no such item. Shape of `pks`."""
        return positions(self.pks, pks)

    def rows_with_tag(self, tag: str) -> IntArray:
        """Return the rows of the items that carry `tag` (exact), ascending."""
        return self.cards.rows_with_tag(tag)

    def rows_with_folded_tag(self, folded: str) -> IntArray:
        """Return the rows of the items with a tag that is `folded` once its case is folded, ascending."""
        return self.cards.rows_with_folded_tag(folded)

    def available(self, now: float) -> BoolArray:
        """Return (items,) bool, read-only: may be shown at POSIX time `now`."""
        return self._available_at(now).mask

    def unchanged_until(self, now: float) -> float:
        """Return the POSIX time after `now` at which the next item comes or goes by its dates; +inf when none does."""
        return self._available_at(now).until

    def _available_at(self, now: float) -> _Availability:
        held = self._availability
        if held is None or not held.since <= now < held.until:
            held = _Availability.at(now, self)
            # Frozen for its readers; threads that come at once compute the same.
            object.__setattr__(self, "_availability", held)
        return held

    @cached_property
    def by_popularity(self) -> IntArray:
        """(items,) all rows, the most popular first, equals in ascending order."""
        return np.argsort(-self.popularity, kind="stable").astype(np.int64)

    @cached_property
    def by_created_at(self) -> tuple[NDArray[np.float64], IntArray]:
        """The moments of entry, ascending, and the row of each."""
        order = np.argsort(self.created_at, kind="stable")
        return self.created_at[order], order.astype(np.int64)


BY_ROW = (
    "pks", "is_active", "available_from", "available_until", "published_at", "created_at", "popularity",
    "category_codes", "item_revisions",
)  # fmt: skip
"""The fields that are arrays with one entry a row."""

DERIVED = {
    "_availability": ("is_active", "available_from", "available_until"),
    "median_created_at": ("created_at",),
    "by_created_at": ("created_at",),
    "by_popularity": ("popularity",),
}
"""What a catalogue keeps once it was asked for, and the arrays it is made of."""
