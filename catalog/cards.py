"""Cards by row, and rows by external id: the packed ones, and on top of them those that have changed since."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from catalog.item_card import ItemCard
from catalog.packed_cards import PackedCards, merged, pack

IntArray = NDArray[np.int64]


class Cards(Sequence[ItemCard]):
    """The cards of a snapshot. Immutable; the packed ones are shared by the snapshots made of each other.

    Parameters
    ----------
    packed
        May hold items that are gone or have changed.
    pks
        (items,) int64, ascending: the item of each row.
    changed
        By primary key: the items of `pks` that `packed` does not hold as they are, and no others.
    """

    def __init__(self, packed: PackedCards, pks: IntArray, changed: Mapping[int, ItemCard]) -> None:
        self.packed, self.pks, self.changed = packed, pks, changed
        self._pks = pks.data
        self._packed_pks = packed.pks.data
        # Nothing has come or gone since: places are rows.
        self._is_aligned = pks is packed.pks

    def __len__(self) -> int:
        return len(self.pks)

    @overload
    def __getitem__(self, row: int) -> ItemCard: ...
    @overload
    def __getitem__(self, row: slice) -> list[ItemCard]: ...
    def __getitem__(self, row: int | slice) -> ItemCard | list[ItemCard]:
        if isinstance(row, slice):
            return [self[at] for at in range(len(self))[row]]
        pk = self._pks[row]
        card = self.changed.get(pk)
        if card is not None:
            return card
        if self._is_aligned:
            return self.packed.card(row if row >= 0 else row + len(self))
        return self.packed.card(bisect_left(self._packed_pks, pk))

    def __iter__(self) -> Iterator[ItemCard]:
        return map(self.__getitem__, range(len(self)))

    def with_changes(self, pks: IntArray, changed: Mapping[int, ItemCard]) -> Cards:
        """Return the cards of `pks` where those of `changed`, by primary key, are new or have replaced others."""
        return Cards(self.packed, pks, {**self.changed, **changed})

    def without_others(self, pks: IntArray) -> Cards:
        """Return the cards of `pks`, a part of this."""
        left = pks.data
        return Cards(self.packed, pks, {pk: card for pk, card in self.changed.items() if _position(left, pk) >= 0})

    def repacked(self) -> PackedCards:
        """Return all of them packed, as they are now."""
        if self._is_aligned and not self.changed:
            return self.packed
        is_left = positions(self.pks, self.packed.pks) >= 0
        changed = positions(self.packed.pks, np.array(list(self.changed), dtype=np.int64))
        is_left[changed[changed >= 0]] = False
        return merged(self.packed, is_left, pack(sorted(self.changed.items())))

    def row_of(self, item_id: str) -> int:
        """Return the row of an external id, -1 when no item has it."""
        pk = self._changed_pks.get(item_id)
        if pk is None:
            place = self.packed.place_of(item_id)
            if place < 0:
                return -1
            pk = self._packed_pks[place]
            if pk in self.changed:
                # It has got another external id.
                return -1
        return _position(self._pks, pk)

    def rows_with_tag(self, tag: str) -> IntArray:
        """Return the rows of the items that carry `tag` (exact), ascending."""
        return self._rows([tag], lambda other: other == tag)

    def rows_with_folded_tag(self, folded: str) -> IntArray:
        """Return the rows of the items with a tag that is `folded` once its case is folded, ascending."""
        return self._rows(self.packed.spellings(folded), lambda other: other.casefold() == folded)

    def _rows(self, tags: Iterable[str], matches: Callable[[str], bool]) -> IntArray:
        places = self.packed.places_with_tags(tags)
        if not self._is_aligned:
            places = positions(self.pks, self.packed.pks[places])
            places = places[places >= 0]
        if not self.changed:
            return places
        found = [pk for pk, card in self.changed.items() if any(map(matches, card.tags))]
        rows = positions(self.pks, np.array(found, dtype=np.int64))
        return np.sort(np.concatenate([places[~self._is_changed[places]], rows]))

    @cached_property
    def _changed_pks(self) -> dict[str, int]:
        return {card.item_id: pk for pk, card in self.changed.items()}

    @cached_property
    def _is_changed(self) -> NDArray[np.bool_]:
        is_changed = np.zeros(len(self), dtype=bool)
        is_changed[positions(self.pks, np.array(list(self.changed), dtype=np.int64))] = True
        return is_changed


class RowsByItemId(Mapping[str, int]):
    """External item id → row."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    def __getitem__(self, item_id: str) -> int:
        row = self._cards.row_of(item_id)
        if row < 0:
            raise KeyError(item_id)
        return row

    def __iter__(self) -> Iterator[str]:
        return (card.item_id for card in self._cards)

    def __len__(self) -> int:
        return len(self._cards)


def positions(ascending: IntArray, wanted: IntArray) -> IntArray:
    """Return where each of `wanted` is in `ascending`, -1 where it is not. Shape of `wanted`."""
    if not len(ascending):
        return np.full(len(wanted), -1, dtype=np.int64)
    found = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.where(ascending[found] == wanted, found, -1).astype(np.int64)


def _position(ascending: memoryview, wanted: int) -> int:
    found = bisect_left(ascending, wanted)
    return found if found < len(ascending) and ascending[found] == wanted else -1
