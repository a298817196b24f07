"""How soon an event counts: post that a user watched the first item of his list, ask again, and look."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.benchmarks.figures import Row, at_most, milliseconds
from tests.benchmarks.http_door import HttpDoor
from tests.benchmarks.workbench import Workbench


def measure_effect(bench: Workbench, door: HttpDoor, users: list[str]) -> Iterator[Row]:
    """Yield the time from the 202 to the end of the next list, which must do without the item, for each of `users`."""
    bench.step("watching and asking again")
    seconds = []
    for user in users:
        path = f"/api/v1/recommendations/{user}?limit=20"
        first = door.get(path).json()["recommendations"][0]["item_id"]
        event = {
            "user_id": user,
            "item_id": first,
            "event_type": "watch",
            "timestamp": datetime.now(UTC).isoformat(),
        }
        accepted = door.post("/api/v1/events", json.dumps(event).encode()).json()["accepted"]
        committed = time.perf_counter()
        again = door.get(path).json()["recommendations"]
        seconds.append(time.perf_counter() - committed)
        if accepted != 1 or any(item["item_id"] == first for item in again):
            raise AssertionError(f"user {user} is shown {first} again, which he has just watched")
    yield from milliseconds("serving: an event counts after", seconds, targets={95: at_most(50.0)})
