"""Fills the events table of a disposable database as fast as Postgres takes rows: binary COPY, no indexes, no log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

from catalog.models import Item
from interactions import partitions
from tests.benchmarks.audience import DAYS, Audience

_FIELDS = {"occurred_at": ">i8", "user": ">i8", "item": ">i8", "type": ">i8"}
# A row of COPY … (FORMAT binary): the number of fields, then of each its length and its big-endian value.
_ROW = np.dtype(
    [("fields", ">i2"), ("id_length", ">i4"), ("id_high", ">i8"), ("id", ">i8")]
    + [part for name, kind in _FIELDS.items() for part in ((f"{name}_length", ">i4"), (name, kind))]
)
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_SINCE_2000 = datetime(2000, 1, 1, tzinfo=UTC)
_BLOCK = 500_000


def prepare() -> None:
    """Take away what only serving needs: reading for training uses no index."""
    now = datetime.now(UTC)
    partitions.ensure("interactions_event", now - timedelta(days=DAYS), now)
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP INDEX interactions_event_user, interactions_event_request; "
            "ALTER TABLE interactions_event DROP CONSTRAINT interactions_event_pkey"
        )
        cursor.execute("SELECT relid::regclass::text FROM pg_partition_tree('interactions_event') WHERE isleaf")
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("ALTER TABLE {} SET UNLOGGED").format(sql.Identifier(name)))


def fill(audience: Audience, event_type: int) -> NDArray[np.int64]:
    """Replace all events by those of the audience, and add the items that are missing; return the items' keys."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE interactions_event")
    missing = range(Item.objects.count(), audience.n_items)
    Item.objects.bulk_create(
        (Item(item_id=f"i{n}", title=f"Item {n}", category=f"category {n % 20}") for n in missing), batch_size=5_000
    )
    pks = np.array(Item.objects.order_by("pk").values_list("pk", flat=True), dtype=np.int64)[: audience.n_items]
    end = datetime.now(UTC)
    span = np.array([end - timedelta(days=DAYS) - _SINCE_2000, end - _SINCE_2000]) / timedelta(microseconds=1)
    moments = np.linspace(*span.astype(np.int64), num=len(audience.users), dtype=np.int64)
    columns = "event_id, occurred_at, user_id, item_id, event_type_id"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY interactions_event ({columns}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(_HEADER)
        for start in range(0, len(moments), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = np.zeros(len(moments[block]), dtype=_ROW)
            rows["fields"], rows["id_length"] = 1 + len(_FIELDS), 16
            rows["id"] = np.arange(start, start + len(rows))
            for name in _FIELDS:
                rows[f"{name}_length"] = 8
            rows["occurred_at"] = moments[block]
            rows["user"] = audience.users[block] + 1
            rows["item"] = pks[audience.items[block]]
            rows["type"] = event_type
            copy.write(rows.tobytes())
        copy.write(_TRAILER)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE interactions_event")
    return pks
