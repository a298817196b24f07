"""What is kept of an event, of a shown item and of a user: bytes in Postgres, in its log, and in Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import uuid4

from django.db import connection

from catalog.redis_store import client
from interactions import feature_rebuilding, impressions
from interactions.contracts import ServedItem, ServedList
from interactions.importing import import_dataset
from interactions.models import Event, Impression
from tests.benchmarks import ingest
from tests.benchmarks.figures import Row
from tests.benchmarks.workbench import Workbench

LISTS = 5_000
ITEMS_A_LIST = 20


def run(bench: Workbench) -> Iterator[Row]:
    """Import the million events of `ingest`, fill Redis from them, and note lists."""
    ingest.generate(bench.folder)
    log = _log_position()
    import_dataset(bench.folder, progress=bench.tell)
    written = _log_position() - log
    yield _bytes("Postgres, an event with its indexes", _relation_bytes("interactions_event") / ingest.EVENTS)
    yield _bytes("Postgres' log, an imported event", written / ingest.EVENTS)

    bench.step("filling Redis")
    before = _redis_bytes()
    users = feature_rebuilding.rebuild()
    yield _bytes(f"Redis, a user with {ingest.EVENTS // ingest.USERS} events", (_redis_bytes() - before) / users)

    bench.step("noting lists")
    pks = list(Event.objects.values_list("item_id", flat=True)[:ITEMS_A_LIST])
    items = tuple(ServedItem(item_pk=pk, position=place, source="item_to_item") for place, pk in enumerate(pks))
    for number in range(LISTS):
        impressions.record(
            [
                ServedList(
                    request_id=uuid4(),
                    shown_at=time.time(),
                    user_id=f"u{number}",
                    placement="homepage",
                    model_version="v1",
                    rules_version=0,
                    items=items,
                )
            ]
        )
    while impressions.write_pending():
        pass
    shown = Impression.objects.count()
    yield _bytes("Postgres, a shown item with its indexes", _relation_bytes("interactions_impression") / shown)


def _bytes(what: str, value: float) -> Row:
    return Row(name=f"storage: {what}", value=value, unit="bytes")


def _relation_bytes(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(%s::regclass)", [table])
        return int(cursor.fetchone()[0])


def _log_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def _redis_bytes() -> int:
    return int(client().info("memory")["used_memory_dataset"])
