"""The catalogue as requests read it: arrays and strings in memory, one copy a process, never a query a request.

Rows are the database's items in primary-key order. A snapshot is immutable; `current(revision)` replaces it when the
catalogue's revision has moved, so a hidden or deleted item is gone on the next request. Only what has changed is read
(`snapshot_changes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from catalog import snapshot_changes
from catalog.models import Item
from catalog.process_copy import ProcessCopy
from catalog.revisions import CATALOGUE, REMOVALS

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCard:
    """What a carousel shows of one item."""

    item_id: str
    title: str
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    creators: tuple[str, ...] = ()
    image_url: str = ""
    url: str = ""
    year: int | None = None


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
    """All items. Every array and list has one entry a row."""

    revision: int
    """That it was read for."""
    pks: IntArray
    """(items,) int64, ascending primary keys."""
    cards: list[ItemCard]
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
    """(items,) rolling, decayed count of events at the time of the snapshot, ≥ 0."""
    categories: list[str]
    """Distinct categories; `category_codes` index it."""
    category_codes: NDArray[np.int32]
    item_revisions: IntArray
    """(items,) int64 revision of the catalogue that changed the item last."""
    countries: list[tuple[str, ...]] = field(default_factory=list)
    read_at: int = 0
    """The database's own revision when it was read: what has a higher one is not in it."""
    removals: int = 0
    """The database's revision of removals."""
    _availability: _Availability | None = field(default=None, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.cards)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """External item id → row."""
        return {card.item_id: row for row, card in enumerate(self.cards)}

    @cached_property
    def median_created_at(self) -> float:
        """POSIX seconds at which the median item came in; -inf for an empty catalogue."""
        return float(np.median(self.created_at)) if len(self) else -np.inf

    def rows_of_pks(self, pks: IntArray) -> IntArray:
        """Return the row of each primary key, -1 where the catalogue has no such item. Shape of `pks`."""
        if not len(self.pks):
            return np.full(len(pks), -1, dtype=np.int64)
        positions = np.searchsorted(self.pks, pks)
        clipped = np.minimum(positions, len(self.pks) - 1)
        return np.where(self.pks[clipped] == pks, clipped, -1).astype(np.int64)

    @cached_property
    def rows_by_tag(self) -> dict[str, IntArray]:
        """Case-folded tag → rows of the items that carry it, ascending."""
        rows: dict[str, list[int]] = {}
        for row, card in enumerate(self.cards):
            for tag in {tag.casefold() for tag in card.tags}:
                rows.setdefault(tag, []).append(row)
        return {tag: np.array(found, dtype=np.int64) for tag, found in rows.items()}

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

    def rows_with_tag(self, tag: str) -> IntArray:
        """Return the rows of the items that carry `tag` (exact)."""
        return np.array([row for row, card in enumerate(self.cards) if tag in card.tags], dtype=np.int64)


def build(items: Iterable[dict[str, Any]], *, revision: int) -> Catalogue:
    """Build a snapshot from item records (the columns of `catalog.models.Item`), in ascending `id` order."""
    cards: list[ItemCard] = []
    pks, active, start, end, published, created, popularity, codes, changed_at = [], [], [], [], [], [], [], [], []
    category_code: dict[str, int] = {}
    countries = []
    # Every row comes with strings of its own; of a million items most say the same few words.
    words: dict[str, str] = {}
    phrases: dict[tuple[str, ...], tuple[str, ...]] = {}

    def once(texts: Iterable[str]) -> tuple[str, ...]:
        phrase = tuple(words.setdefault(text, text) for text in texts)
        return phrases.setdefault(phrase, phrase)

    for item in items:
        published_at: datetime | None = item.get("published_at")
        cards.append(
            ItemCard(
                item_id=item["item_id"],
                title=item["title"],
                description=item.get("description", ""),
                category=words.setdefault(item.get("category", ""), item.get("category", "")),
                tags=once(item.get("tags", ())),
                creators=once(item.get("creators", ())),
                image_url=item.get("image_url", ""),
                url=item.get("url") or item_page(item["item_id"]),
                year=published_at.year if published_at else None,
            )
        )
        pks.append(item["id"])
        active.append(item.get("is_active", True))
        start.append(_posix(item.get("available_from"), -np.inf))
        end.append(_posix(item.get("available_until"), np.inf))
        published.append(_posix(published_at, np.nan))
        created.append(_posix(item.get("created_at"), -np.inf))
        popularity.append(item.get("popularity", 0.0))
        codes.append(category_code.setdefault(item.get("category", ""), len(category_code)))
        changed_at.append(item.get("revision", 0))
        countries.append(once(item.get("countries", ())))
    return Catalogue(
        revision=revision,
        pks=np.array(pks, dtype=np.int64),
        cards=cards,
        is_active=np.array(active, dtype=bool),
        available_from=np.array(start, dtype=np.float64),
        available_until=np.array(end, dtype=np.float64),
        published_at=np.array(published, dtype=np.float64),
        created_at=np.array(created, dtype=np.float64),
        popularity=np.array(popularity, dtype=np.float32),
        categories=list(category_code),
        category_codes=np.array(codes, dtype=np.int32),
        item_revisions=np.array(changed_at, dtype=np.int64),
        countries=countries,
    )


def item_page(item_id: str) -> str:
    """Return the address of the site's own page of an item (RECOMMENDER_ITEM_URL); the id is percent-encoded."""
    template: str = settings.RECOMMENDER_ITEM_URL
    return template.format(item_id=quote(item_id, safe=""))


COLUMNS = (
    "id item_id title description category tags creators image_url url published_at "
    "available_from available_until is_active created_at popularity countries revision"
).split()


def load(revision: int, earlier: Catalogue | None = None) -> Catalogue:
    """Return the items as Postgres has them: all of them, or of those that are not as `earlier` has them only these."""
    with connection.cursor() as cursor:
        # First: what is committed later than this is read below as well, and again by the next one.
        cursor.execute("SELECT name, value FROM catalog_revision WHERE name = ANY(%s)", [[CATALOGUE, REMOVALS]])
        values: dict[str, int] = dict(cursor.fetchall())
    read_at, removals = values.get(CATALOGUE, 0), values.get(REMOVALS, 0)
    if earlier is None or earlier.read_at > read_at:
        now = build(_records(Item.objects), revision=revision)
    else:
        changed = build(_records(Item.objects.filter(revision__gt=earlier.read_at)), revision=revision)
        if earlier.removals != removals:
            left = np.fromiter(Item.objects.values_list("id", flat=True).iterator(), dtype=np.int64)
            earlier = snapshot_changes.without(earlier, np.isin(earlier.pks, left, assume_unique=True))
        now = snapshot_changes.applied(earlier, changed)
    for name, value in (("revision", revision), ("read_at", read_at), ("removals", removals)):
        # Frozen for its readers, of which it has none yet; `replace` would drop what was taken over.
        object.__setattr__(now, name, value)
    return now


def _records(items: Any) -> Iterable[dict[str, Any]]:
    records: Iterable[dict[str, Any]] = items.order_by("id").values(*COLUMNS).iterator(chunk_size=5000)
    return records


_copy = ProcessCopy(load)


def current(revision: int) -> Catalogue:
    """Return this process's snapshot, read anew when it is not of `revision` (of `catalog.revisions.CATALOGUE`)."""
    return _copy.at(revision)


def _posix(moment: datetime | None, default: float) -> float:
    return default if moment is None else moment.timestamp()
