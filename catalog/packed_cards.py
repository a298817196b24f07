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
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from catalog.item_card import ItemCard

IntArray = NDArray[np.int64]

_TOGETHER = 50_000
"""Cards that are gathered at once: each byte takes an index of eight meanwhile."""

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

    def codes(self) -> IntArray:
        """Return the tag of each of `tagged`, as its position in `tags`."""
        return np.repeat(np.arange(len(self.tags)), np.diff(self.tag_starts))

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
        tag_starts=_starts(np.bincount(tags, minlength=len(code_of))),
        tagged=np.asarray(places)[np.argsort(tags, kind="stable")],
    )


def merged(earlier: PackedCards, is_left: NDArray[np.bool_], fresh: PackedCards) -> PackedCards:
    """Pack what `earlier` has where `is_left` (items,) is True together with `fresh`, which has none of these.

    Without decoding a card: 1.3 s for a million, where `pack` takes 8 s.
    """
    left = np.flatnonzero(is_left)
    pks = np.concatenate([earlier.pks[left], fresh.pks])
    order = np.argsort(pks, kind="stable")
    # Of each card of both, in the result.
    place = np.full(len(earlier) + len(fresh), -1, dtype=np.int64)
    place[np.concatenate([left, np.arange(len(earlier), len(place))])[order]] = np.arange(len(order))
    of_earlier, of_fresh = place[: len(earlier)], place[len(earlier) :]

    begin = np.concatenate([earlier.starts[left], len(earlier.texts) + fresh.starts[:-1]])[order]
    lengths = np.concatenate([np.diff(earlier.starts)[left], np.diff(fresh.starts)])[order]

    hashes = np.concatenate([earlier.hashes, fresh.hashes])
    hashed = np.concatenate([of_earlier[earlier.hashed], of_fresh[fresh.hashed]])
    hashes, hashed = hashes[hashed >= 0], hashed[hashed >= 0]
    by_hash = np.argsort(hashes, kind="stable")

    code_of = {tag: code for code, tag in enumerate(earlier.tags)}
    renumbered = np.array([code_of.setdefault(tag, len(code_of)) for tag in fresh.tags], dtype=np.int64)
    codes = np.concatenate([earlier.codes(), renumbered[fresh.codes()]])
    tagged = np.concatenate([of_earlier[earlier.tagged], of_fresh[fresh.tagged]])
    codes, tagged = codes[tagged >= 0], tagged[tagged >= 0]
    return PackedCards(
        pks=pks[order],
        texts=_gathered(np.concatenate([earlier.texts, fresh.texts]), begin, lengths),
        starts=_starts(lengths),
        hashes=hashes[by_hash],
        hashed=hashed[by_hash].astype(np.int32),
        tags=list(code_of),
        tag_starts=_starts(np.bincount(codes, minlength=len(code_of))),
        tagged=tagged[np.lexsort((tagged, codes))].astype(np.int32),
    )


def _starts(lengths: NDArray[np.integer[Any]]) -> IntArray:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def _gathered(texts: NDArray[np.uint8], begin: IntArray, lengths: IntArray) -> NDArray[np.uint8]:
    """Return the pieces of `texts` that begin at `begin`, one after the other."""
    pieces = [np.empty(0, dtype=np.uint8)]
    for first in range(0, len(begin), _TOGETHER):
        here = lengths[first : first + _TOGETHER]
        offsets = np.repeat(begin[first : first + _TOGETHER] - _starts(here)[:-1], here)
        pieces.append(texts[offsets + np.arange(len(offsets))])
    return np.concatenate(pieces)
