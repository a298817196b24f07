"""Events in: a bulk import, batches of 1,000 and single events over HTTP, each against the least Postgres must do.

A million events are generated (20,000 users, 5,000 items, popularity by Zipf's law, over 120 days, the same ones every
time) and imported from CSV by the product's own door. The raw side COPYs the same rows, with ids and keys already
looked up, into the same table with the same partitions and indexes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from django.db import connection

from interactions.importing import import_dataset
from tests.benchmarks import charts, event_posts
from tests.benchmarks.figures import Row, at_least
from tests.benchmarks.http_door import http_door
from tests.benchmarks.workbench import Workbench

EVENTS = 1_000_000
USERS = 20_000
ITEMS = 5_000
DAYS = 120
KINDS = ("watch", "click", "view")
COLUMNS = "event_id, occurred_at, user_id, item_id, event_type_id, value, context, request_id, received_at"
PIECE = 1 << 20


def run(bench: Workbench) -> Iterator[Row]:
    """Import, COPY the same rows raw, then post over HTTP."""
    bench.step(f"generating {EVENTS:,} events")
    generate(bench.folder)
    started = time.perf_counter()
    result = import_dataset(bench.folder, progress=bench.tell)
    imported = EVENTS / (time.perf_counter() - started)
    if result.events.new != EVENTS:
        raise AssertionError(f"{result.events.new:,} of {EVENTS:,} events were imported")
    yield Row(name="ingest: bulk import, items included", value=imported, unit="events/s", target=at_least(50_000))
    bench.step("copying the same rows raw")
    raw = EVENTS / _raw_copy_seconds(bench.folder / "rows")
    yield Row(name="ingest: raw COPY of the same rows", value=raw, unit="events/s")
    yield Row(name="ingest: bulk import, share of raw COPY", value=imported / raw, unit="×", target=at_least(0.6))
    rates = {"bulk import": imported, "raw COPY of 1,000,000": raw}
    bench.step("tidying up")
    with connection.cursor() as cursor:
        # Else autovacuum does it while one side or the other is measured.
        cursor.execute("VACUUM ANALYZE interactions_event")
    with http_door() as door:
        for row in event_posts.measure(bench, door):
            if row.unit == "events/s" and row.value is not None:
                rates[row.name.removeprefix("ingest: ")] = row.value
            yield row
    charts.bars(bench.charts / "ingest.svg", "Events in", "events a second", rates)


def generate(folder: Path) -> None:
    """Write `items.csv` and `events.csv`; every event is a different one."""
    rng = np.random.default_rng(11)
    users = rng.integers(USERS, size=EVENTS)
    items = np.minimum(rng.zipf(1.3, size=EVENTS) - 1, ITEMS - 1)
    kinds = rng.integers(len(KINDS), size=EVENTS)
    # Ends at midnight: the same within a day, and never in the future. A second apart per user is enough to differ.
    end = int(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    moments = end - DAYS * 86_400 + np.sort(rng.choice(DAYS * 86_400, size=EVENTS, replace=False))
    columns = (values.tolist() for values in (users, items, moments, kinds))
    lines = (f"u{user},i{item},{at},{KINDS[kind]}\n" for user, item, at, kind in zip(*columns, strict=True))
    with (folder / "events.csv").open("w") as file:
        file.write("user_id,item_id,timestamp,event_type\n")
        file.writelines(lines)
    with (folder / "items.csv").open("w") as file:
        file.write("item_id,title,category\n")
        file.writelines(f"i{item},Item {item},category {item % 20}\n" for item in range(ITEMS))


def _raw_copy_seconds(path: Path) -> float:
    """Empty the table and fill it with its own rows, in the order of time; return how long the filling took."""
    with connection.cursor() as cursor:
        query = f"COPY (SELECT {COLUMNS} FROM interactions_event ORDER BY occurred_at) TO STDOUT"
        with path.open("wb") as file, cursor.copy(query) as copy:
            for piece in copy:
                file.write(piece)
        cursor.execute("TRUNCATE interactions_event")
        started = time.perf_counter()
        with path.open("rb") as file, cursor.copy(f"COPY interactions_event ({COLUMNS}) FROM STDIN") as copy:
            while piece := file.read(PIECE):
                copy.write(piece)
        return time.perf_counter() - started
