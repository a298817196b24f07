"""What somebody says he likes before he has done anything: the answers to a site's onboarding questions.

They are part of `UserProfile.preferences`, a JSON object, under three keys:

    {"categories": ["Comedy", "Science Fiction"], "tags": ["heist"], "items": ["603", "79132"]}

Categories and tags as the catalogue spells them, in any case; items by their external ids. Other keys are the site's
own and are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

KINDS = ("categories", "tags", "items")
MOST = 100
"""Entries of each kind; people answer a few questions, and each request reads them all."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """Each kind without repetitions, in the order given."""

    categories: tuple[str, ...] = ()
    """Case-folded."""
    tags: tuple[str, ...] = ()
    """Case-folded."""
    items: tuple[str, ...] = ()
    """External ids; the catalogue need not have them any more."""

    def __bool__(self) -> bool:
        return bool(self.categories or self.tags or self.items)


NONE = Preferences()
_decoder = msgspec.json.Decoder(Preferences)


def of(stored: Mapping[str, Any]) -> Preferences:
    """Return what a profile's JSON says; what is not of the documented form says nothing."""
    lists = {
        kind: [entry for entry in given if isinstance(entry, str)] if isinstance(given, list) else []
        for kind, given in ((kind, stored.get(kind)) for kind in KINDS)
    }
    return Preferences(
        categories=_distinct(entry.casefold() for entry in lists["categories"]),
        tags=_distinct(entry.casefold() for entry in lists["tags"]),
        items=_distinct(lists["items"]),
    )


def pack(preferences: Preferences) -> bytes:
    """Return the bytes that `unpack` reads, b"" for no preferences."""
    return msgspec.json.encode(preferences) if preferences else b""


def unpack(packed: bytes) -> Preferences:
    """Return the preferences packed by `pack`."""
    return _decoder.decode(packed) if packed else NONE


def _distinct(entries: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entries))[:MOST]
