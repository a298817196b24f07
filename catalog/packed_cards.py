"""The cards of many items as a handful of arrays, so that processes can map one file instead of each holding objects.

An item's place is its position in primary-key order. A card is decoded when it is asked for (0.5 µs); an external id is
found by its hash in a sorted array and proven by the card itself, so ids whose hashes are equal are told apart.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from catalog.item_card import ItemCard

IntArray = NDArray[np.int64]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ItemCard)


def hash_of(item_id: str) -> int:
    """Return 64 bits of BLAKE2b: the same in every process, which Python's own hash of a text is not."""
    # A request may ask for half a surrogate pair, which no item has.
    encoded = item_id.encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "little")


@dataclass(frozen=True, kw_only=True, eq=False)
class PackedCards:
    """Cards by place. Immutable; the arrays may be mapped from a file."""

    pks: IntArray
    """(items,) int64, ascending primary keys."""
    texts: NDArray[np.uint8]
    """The cards one after the other, each as a MessagePack array."""
    starts: IntArray
    """(items + 1,) int64: the card at a place is `texts[starts[place]:starts[place + 1]]`."""
    hashes: NDArray[np.uint64]
    """(items,) uint64, ascending: `hash_of` the ids."""
    hashed: NDArray[np.int32]
    """(items,) int32: the place of each hash."""
    tags: Sequence[str]
    """Distinct tags as they are written."""
    tag_starts: IntArray
    """(tags + 1,) int64: a tag's items are `tagged[tag_starts[tag]:tag_starts[tag + 1]]`."""
    tagged: NDArray[np.int32]
    """Places, ascending within a tag."""
    # Plain integers come out of a view in a third of the time that numpy's scalars take.
    _texts: memoryview = field(init=False, repr=False)
    _starts: memoryview = field(init=False, repr=False)
    _hashes: memoryview = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("texts", "starts", "hashes"):
            object.__setattr__(self, f"_{name}", getattr(self, name).data)

    def __len__(self) -> int:
        return len(self.pks)

    def card(self, place: int) -> ItemCard:
        """Return the card at `place`, 0 to `len(self) - 1`."""
        return _decoder.decode(self._texts[self._starts[place] : self._starts[place + 1]])

    def place_of(self, item_id: str) -> int:
        """Return the place of the item with this external id, -1 when there is none."""
        wanted = hash_of(item_id)
        at = bisect_left(self._hashes, wanted)
        while at < len(self) and self._hashes[at] == wanted:
            place = int(self.hashed[at])
            if self.card(place).item_id == item_id:
                return place
            at += 1
        return -1

    def places_with_tags(self, tags: Iterable[str]) -> IntArray:
        """Return the places of the items that carry any of `tags` (exact), ascending."""
        codes = [self._code_of[tag] for tag in tags if tag in self._code_of]
        found = [self.tagged[self.tag_starts[code] : self.tag_starts[code + 1]] for code in codes]
        if len(found) == 1:
            return found[0].astype(np.int64)
        return np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found]))

    def spellings(self, folded: str) -> list[str]:
        """Return the tags that are `folded` once their case is folded."""
        return self._spellings.get(folded, [])

    @cached_property
    def _code_of(self) -> dict[str, int]:
        return {tag: code for code, tag in enumerate(self.tags)}

    @cached_property
    def _spellings(self) -> dict[str, list[str]]:
        spellings: dict[str, list[str]] = {}
        for tag in self.tags:
            spellings.setdefault(tag.casefold(), []).append(tag)
        return spellings


def pack(items: Iterable[tuple[int, ItemCard]]) -> PackedCards:
    """Pack cards with their primary keys, which must ascend."""
    pks, starts, hashes = array("q"), array("q", [0]), array("Q")
    codes, places = array("i"), array("i")
    code_of: dict[str, int] = {}
    texts = bytearray()
    for place, (pk, card) in enumerate(items):
        pks.append(pk)
        texts += _encoder.encode(card)
        starts.append(len(texts))
        hashes.append(hash_of(card.item_id))
        for tag in dict.fromkeys(card.tags):
            codes.append(code_of.setdefault(tag, len(code_of)))
            places.append(place)
    by_hash = np.argsort(np.asarray(hashes), kind="stable")
    tags = np.asarray(codes)
    return PackedCards(
        pks=np.asarray(pks),
        texts=np.frombuffer(texts, dtype=np.uint8),
        starts=np.asarray(starts),
        hashes=np.asarray(hashes)[by_hash],
        hashed=by_hash.astype(np.int32),
        tags=list(code_of),
        tag_starts=np.concatenate(([0], np.cumsum(np.bincount(tags, minlength=len(code_of))))).astype(np.int64),
        tagged=np.asarray(places)[np.argsort(tags, kind="stable")],
    )
