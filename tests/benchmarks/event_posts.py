"""POST /api/v1/events in batches and one by one, in turns with what Postgres alone takes for the same rows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
from django.db import connection

from tests.benchmarks.bare_views import BareInsertView
from tests.benchmarks.figures import Row, at_least, milliseconds
from tests.benchmarks.http_door import HttpDoor
from tests.benchmarks.workbench import Workbench

BATCHES = 20
BATCH = 1_000
SINGLES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """Users and items of the table, by name and by primary key."""

    users: list[tuple[str, int]]
    items: list[tuple[str, int]]
    type_id: int


def measure(bench: Workbench, door: HttpDoor) -> Iterator[Row]:
    """Yield rates, times and shares of the raw side. The table's users and items exist already."""
    stored = _stored()
    seconds, raw = _batches(bench, door, stored, dict)
    yield Row(name="ingest: batches of 1,000 over HTTP", value=BATCH / seconds, unit="events/s")
    yield Row(name="ingest: raw COPY of 1,000", value=BATCH / raw, unit="events/s")
    yield Row(name="ingest: batches, share of raw COPY", value=raw / seconds, unit="×", target=at_least(0.4))
    seconds, raw = _batches(bench, door, stored, _everything)
    yield Row(name="ingest: batches with ids and contexts, share of raw COPY without", value=raw / seconds, unit="×")
    yield from _singles(bench, door, stored)


def _stored() -> _Stored:
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id, id FROM interactions_userprofile ORDER BY id")
        users = cursor.fetchall()
        cursor.execute("SELECT item_id, id FROM catalog_item ORDER BY id")
        items = cursor.fetchall()
        cursor.execute("SELECT id FROM interactions_eventtype WHERE name = 'watch'")
        return _Stored(users=users, items=items, type_id=cursor.fetchone()[0])


def _everything() -> dict[str, object]:
    """Return what an event may have besides: Postgres then keeps its id a second time."""
    context = {"source": "homepage", "position": 3}
    return {"event_id": str(uuid.uuid4()), "request_id": str(uuid.uuid4()), "value": 4.5, "context": context}


def _batches(
    bench: Workbench, door: HttpDoor, stored: _Stored, besides: Callable[[], dict[str, object]]
) -> tuple[float, float]:
    """Return the median seconds of a batch over HTTP and of copying as many bare rows, in turns."""
    rng = np.random.default_rng(13)
    ours, raw = [], []
    for number in range(BATCHES):
        users = [stored.users[place] for place in rng.integers(len(stored.users), size=BATCH)]
        items = [stored.items[place] for place in rng.integers(len(stored.items), size=BATCH)]
        first = datetime.now(UTC) - timedelta(hours=1)
        moments = [first + timedelta(milliseconds=place) for place in range(BATCH)]
        body = orjson.dumps(
            {
                "events": [
                    {"user_id": user, "item_id": item, "event_type": "watch", "timestamp": moment.isoformat()}
                    | besides()
                    for (user, _), (item, _), moment in zip(users, items, moments, strict=True)
                ]
            }
        )
        answer = door.post("/api/v1/events", body)
        if answer.json()["accepted"] != BATCH:
            raise AssertionError(f"{answer.json()['accepted']} of {BATCH} events were accepted")
        ours.append(answer.seconds)
        rows = [
            (uuid.uuid4(), moment, user, item, stored.type_id, moment)
            for (_, user), (_, item), moment in zip(users, items, moments, strict=True)
        ]
        raw.append(_copy_seconds(rows))
        bench.tell("posting batches", number + 1, BATCHES)
    return float(np.median(ours)), float(np.median(raw))


def _copy_seconds(rows: Sequence[tuple[object, ...]]) -> float:
    columns = "event_id, occurred_at, user_id, item_id, event_type_id, received_at"
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()
    started = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy(f"COPY interactions_event ({columns}) FROM STDIN") as copy:
        copy.write(lines)
    return time.perf_counter() - started


def _singles(bench: Workbench, door: HttpDoor, stored: _Stored) -> Iterator[Row]:
    rng = np.random.default_rng(17)
    ours, bare = [], []
    for number in range(SINGLES):
        user, user_pk = stored.users[rng.integers(len(stored.users))]
        item, item_pk = stored.items[rng.integers(len(stored.items))]
        event = {"user_id": user, "item_id": item, "event_type": "watch", "timestamp": datetime.now(UTC).isoformat()}
        ours.append(door.post("/api/v1/events", orjson.dumps(event)).seconds)
        BareInsertView.row = (user_pk, item_pk, stored.type_id)
        bare.append(door.post("/bare/insert", b"{}").seconds)
        bench.tell("posting single events", number + 1, SINGLES)
    yield from milliseconds("ingest: a single event over HTTP", ours)
    yield Row(name="ingest: a bare view with one INSERT", value=float(np.median(bare)) * 1000, unit="ms")
    share = float(np.median(bare) / np.median(ours))
    yield Row(name="ingest: a single event, share of the bare view's rate", value=share, unit="×", target=at_least(0.5))
