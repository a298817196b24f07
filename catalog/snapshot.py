"""The catalogue in memory, as requests read it: one copy a process, never a query a request.

A snapshot is immutable; `current(revision)` replaces it when the catalogue's revision has moved, so a hidden or deleted
item is gone on the next request. Only what has changed is read (`snapshot_changes`). A process begins with what another
one of this machine has read and written to a file (`snapshot_file`), and with what has changed since.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection, transaction

from catalog import column_reading, snapshot_changes, snapshot_file
from catalog.cards import Cards
from catalog.catalogue import Catalogue
from catalog.item_card import ItemCard, card_of, item_page
from catalog.models import Item
from catalog.packed_cards import pack
from catalog.process_copy import ProcessCopy
from catalog.renewal import Renewal
from catalog.revisions import CATALOGUE, REMOVALS
from catalog.snapshot_file import SnapshotFile

__all__ = ["Catalogue", "ItemCard", "build", "current", "item_page", "load"]

CHANGES_AT_LEAST, CHANGED_SHARE = 1000, 0.02
"""More than both are changed before the shared file is written anew: each process holds them in its own memory."""
SECONDS_BETWEEN_RENEWALS = 300.0

COLUMNS = (
    "id item_id title description category tags creators image_url url published_at "
    "available_from available_until is_active created_at popularity countries revision "
    "language attributes"
).split()


_CODES = {
    "is_active": "b", "available_from": "d", "available_until": "d", "published_at": "d", "created_at": "d",
    "popularity": "f", "category_codes": "i", "item_revisions": "q",
}  # fmt: skip
"""Of `array`: a million numbers as objects would be many times as large."""


def build(items: Iterable[Mapping[str, Any]], *, revision: int) -> Catalogue:
    """Build a snapshot from item records (the columns of `catalog.models.Item`), in ascending `id` order."""
    columns: dict[str, array[Any]] = {name: array(code) for name, code in _CODES.items()}
    category_code: dict[str, int] = {}

    def cards() -> Iterator[tuple[int, ItemCard]]:
        for item in items:
            columns["is_active"].append(item.get("is_active", True))
            columns["available_from"].append(_posix(item.get("available_from"), -np.inf))
            columns["available_until"].append(_posix(item.get("available_until"), np.inf))
            columns["published_at"].append(_posix(item.get("published_at"), np.nan))
            columns["created_at"].append(_posix(item.get("created_at"), -np.inf))
            columns["popularity"].append(item.get("popularity", 0.0))
            columns["category_codes"].append(category_code.setdefault(item.get("category", ""), len(category_code)))
            columns["item_revisions"].append(item.get("revision", 0))
            yield item["id"], card_of(item)

    packed = pack(cards())
    arrays: dict[str, Any] = {name: np.asarray(values) for name, values in columns.items()}
    arrays["is_active"] = arrays["is_active"].astype(bool)
    return Catalogue(
        revision=revision,
        pks=packed.pks,
        cards=Cards(packed, packed.pks),
        categories=list(category_code),
        **arrays,
    )


def load(revision: int, earlier: Catalogue | None = None) -> Catalogue:
    """Return the items as Postgres has them; what `earlier`, or else the shared file, has as it is is not read.

    The first one may wait for another process that is writing the file.
    """
    read_at, removals = _revisions()
    if earlier is None or earlier.read_at > read_at:
        earlier = _first()
        read_at, removals = _revisions()
    since = Item.objects.filter(revision__gt=earlier.read_at) if earlier.read_at < read_at else Item.objects.none()
    changed = replace(build(_records(since), revision=revision), read_at=read_at, removals=removals)
    if earlier.removals != removals:
        earlier = snapshot_changes.without(earlier, np.isin(earlier.pks, column_reading.pks(), assume_unique=True))
    return snapshot_changes.applied(earlier, changed)


def _first() -> Catalogue:
    """Return the snapshot of the shared file, or what Postgres says, then written there for the other processes."""
    file = snapshot_file.of_this_database()
    if file is None:
        return _everything()
    found = _shared(file)
    if found is not None:
        return found
    with file.locked(snapshot_file.SECONDS_TO_WAIT) as alone:
        # Somebody else may have written it meanwhile.
        found = _shared(file)
        if found is not None:
            return found
        return file.written(_everything()) if alone else _everything()


def _shared(file: SnapshotFile) -> Catalogue | None:
    """Return the snapshot of the shared file, None when there is none that may be used."""
    found = file.read()
    if found is None:
        return None
    # Asked afterwards: a file that is ahead is of a state that has been taken back, and will look right again later.
    if found.read_at > _revisions()[0]:
        file.remove()
        return None
    # It moves all the time and raises no revision.
    return replace(found, popularity=column_reading.popularity_of(found.pks, found.popularity))


def _everything() -> Catalogue:
    # First: what is committed later than this is read below as well, and again by the next one.
    read_at, removals = _revisions()
    # Outside a transaction Postgres would make all rows before it hands over the first.
    with transaction.atomic():
        return replace(build(_records(Item.objects), revision=0), read_at=read_at, removals=removals)


def _revisions() -> tuple[int, int]:
    """Return the database's own revisions of the catalogue and of removals."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, value FROM catalog_revision WHERE name = ANY(%s)", [[CATALOGUE, REMOVALS]])
        values: dict[str, int] = dict(cursor.fetchall())
    return values.get(CATALOGUE, 0), values.get(REMOVALS, 0)


def _records(items: Any) -> Iterable[dict[str, Any]]:
    records: Iterable[dict[str, Any]] = items.order_by("id").values(*COLUMNS).iterator(chunk_size=5000)
    return records


def renewed() -> Catalogue | None:
    """Return the shared snapshot with few changes on top, written anew if there were many.

    None when there is no shared file, or another process is writing it.
    """
    file = snapshot_file.of_this_database()
    found = None if file is None else _shared(file)
    if file is None or found is None:
        return None
    now = load(0, found)
    if not is_worn(now):
        return now
    with file.locked(0) as alone:
        return file.written(now) if alone else None


def is_worn(catalogue: Catalogue) -> bool:
    """Whether so much has changed since the shared file was written that it is better written anew."""
    return catalogue.cards.drift > max(CHANGES_AT_LEAST, CHANGED_SHARE * len(catalogue))


_renewal = Renewal(renewed, SECONDS_BETWEEN_RENEWALS)


def _followed(revision: int, earlier: Catalogue | None) -> Catalogue:
    now = load(revision, _renewal.taken() or earlier)
    if is_worn(now):
        _renewal.begin()
    return now


_copy = ProcessCopy(_followed)


def current(revision: int) -> Catalogue:
    """Return this process's snapshot, read anew when it is not of `revision` (of `catalog.revisions.CATALOGUE`)."""
    return _copy.at(revision)


def _posix(moment: datetime | None, default: float) -> float:
    return default if moment is None else moment.timestamp()
