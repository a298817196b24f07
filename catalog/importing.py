"""Writing items in bulk: only what really differs is written, so the catalogue's revision does not move for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import msgspec
from django.db import connection, transaction

from catalog import revisions
from catalog.records import ITEM_FIELDS, InvalidItem, ItemRecord, item_record

__all__ = ["InvalidItem", "ItemRecord", "UpsertCounts", "item_record", "upsert_items"]

BATCH = 2_000
"""Items a statement: about 2 MB of JSON, and a lock on few enough rows."""

_TYPES = {
    "tags": "text[]",
    "creators": "text[]",
    "countries": "text[]",
    "duration_minutes": "integer",
    "published_at": "timestamptz",
    "available_from": "timestamptz",
    "available_until": "timestamptz",
    "is_active": "boolean",
    "attributes": "jsonb",
}
_DEFAULTS = {
    "tags": "'{}'",
    "creators": "'{}'",
    "countries": "'{}'",
    "duration_minutes": "NULL",
    "published_at": "NULL",
    "available_from": "NULL",
    "available_until": "NULL",
    "is_active": "true",
    "attributes": "'{}'",
}
_COLUMNS = ", ".join(ITEM_FIELDS)


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """How many items were new, changed, and already as given."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertCounts) -> UpsertCounts:
        return UpsertCounts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


def upsert_items(records: Iterable[ItemRecord], *, replace: bool = False, batch: int = BATCH) -> UpsertCounts:
    """Insert or update items by `item_id`; each batch is one transaction (or part of the caller's).

    A field that is UNSET keeps the stored value; with `replace` it falls back to the column's default (HTTP PUT).
    Nothing is written, and the catalogue's revision stays, for items that are already as given. Of records with the
    same `item_id` in one batch the last wins and the earlier ones are not counted. The new revision is announced after
    commit.
    """
    counts = UpsertCounts()
    for part in _batches(records, batch):
        counts += _upsert(list({record.item_id: record for record in part}.values()), replace)
    return counts


def _batches(records: Iterable[ItemRecord], size: int) -> Iterator[list[ItemRecord]]:
    iterator = iter(records)
    while part := list(islice(iterator, size)):
        yield part


def _upsert(records: list[ItemRecord], replace: bool) -> UpsertCounts:
    source = msgspec.json.encode(records).decode()
    with transaction.atomic(), connection.cursor() as cursor:
        # In order, so that two writers of the same items wait for each other instead of deadlocking.
        cursor.execute(
            "SELECT id FROM catalog_item WHERE item_id = ANY(%s) ORDER BY id FOR UPDATE",
            [[record.item_id for record in records]],
        )
        parameters: dict[str, str | bool] = {"records": source, "replace": replace}
        cursor.execute(_COUNT, parameters)
        new, differing = cursor.fetchone()
        # A statement-level trigger fires even when no row is written, hence the count first.
        if differing:
            cursor.execute(_WRITE, parameters)
            revisions.announce_after_commit()
    return UpsertCounts(new=new, changed=differing - new, unchanged=len(records) - differing)


def _merged_sql() -> str:
    typed = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in ITEM_FIELDS)
    values = ", ".join(
        f"CASE WHEN given.record ? '{name}' THEN wanted.{name} "
        f"WHEN item.id IS NULL OR %(replace)s THEN {_DEFAULTS.get(name, chr(39) * 2)} ELSE item.{name} END AS {name}"
        for name in ITEM_FIELDS
    )
    stored = ", ".join(f"stored_{name}" for name in ITEM_FIELDS)
    kept = ", ".join(f"item.{name} AS stored_{name}" for name in ITEM_FIELDS)
    return f"""
        WITH merged AS (
            SELECT item.id IS NULL AS is_new, {values}, {kept}
            FROM jsonb_array_elements(%(records)s::jsonb) AS given(record)
            CROSS JOIN LATERAL jsonb_to_record(given.record) AS wanted({typed})
            LEFT JOIN catalog_item item ON item.item_id = wanted.item_id
        ), differing AS (
            SELECT is_new, {_COLUMNS} FROM merged
            WHERE is_new OR ({_COLUMNS}) IS DISTINCT FROM ({stored})
        )
    """  # noqa: S608 -- built from the constants of this package


_MERGED = _merged_sql()
_COUNT = _MERGED + "\nSELECT count(*) FILTER (WHERE is_new), count(*) FROM differing"
_WRITE = f"""
    {_MERGED}
    INSERT INTO catalog_item ({_COLUMNS}, popularity, created_at, updated_at)
    SELECT {_COLUMNS}, 0, now(), now() FROM differing ORDER BY item_id
    ON CONFLICT (item_id) DO UPDATE
    SET {", ".join(f"{name} = EXCLUDED.{name}" for name in ITEM_FIELDS if name != "item_id")}, updated_at = now()
"""  # noqa: S608 -- built from the constants of this package
