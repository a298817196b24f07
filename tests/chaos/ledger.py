"""Keeps account of events: which were acknowledged, and which are stored in the end."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.chaos.site import Site
from tests.chaos.template import ITEMS


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What became of the events that were sent."""

    acknowledged: int
    stored: int
    lost: int
    """Acknowledged and not stored."""
    doubled: int
    """Stored more than once."""


def events(count: int, users: int = 20) -> list[dict[str, Any]]:
    """Return new events, each with an id of its own."""
    now = datetime.now(UTC).isoformat()
    return [
        {
            "event_id": str(uuid4()),
            "user_id": f"visitor-{number % users}",
            "item_id": f"film-{number % ITEMS}",
            "event_type": "view",
            "timestamp": now,
        }
        for number in range(count)
    ]


class Ledger:
    """Sends batches, each until it is acknowledged, from threads that end with the `with` block."""

    def __init__(self, site: Site, *, threads: int = 2, size: int = 20, pause: float = 0.01) -> None:
        self._site = site
        self._size = size
        self._pause = pause
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._deliver, daemon=True) for _ in range(threads)]
        self.sent: list[str] = []
        self.acknowledged: set[str] = set()
        self.refusals: list[tuple[int, str | None, float]] = []
        """Status, Retry-After and seconds of each answer but 202; status 0 is a connection that died."""

    def __enter__(self) -> Ledger:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more: int, seconds: float = 90.0) -> None:
        """Wait until so many more events are acknowledged."""
        until, deadline = len(self.acknowledged) + more, time.monotonic() + seconds
        while len(self.acknowledged) < until:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {until}; {self.refusals[-3:]}"
            time.sleep(0.02)

    def send(self, batch: Sequence[dict[str, Any]]) -> int:
        """Send a batch once; return the status, 0 for a connection that died."""
        began = time.monotonic()
        try:
            status, document, headers = self._site.ask("POST", "/api/v1/events", {"events": list(batch)})
        except (OSError, http.client.HTTPException):
            self.refusals.append((0, None, time.monotonic() - began))
            return 0
        if status != 202:
            self.refusals.append(
                (status, headers.get("Retry-After") or headers.get("retry-after"), time.monotonic() - began)
            )
            return status
        results = zip(batch, document["results"], strict=True)
        self.acknowledged |= {event["event_id"] for event, verdict in results if verdict["status"] != "rejected"}
        return status

    def deliver(self, batch: Sequence[dict[str, Any]], seconds: float = 120.0) -> None:
        """Send a batch until it is acknowledged."""
        deadline = time.monotonic() + seconds
        self.sent += [event["event_id"] for event in batch]
        while self.send(batch) != 202:
            assert time.monotonic() < deadline, self.refusals[-3:]
            time.sleep(0.1)

    def _deliver(self) -> None:
        while not self._stop.is_set():
            self.deliver(events(self._size))
            self._stop.wait(self._pause)

    def balance(self) -> Balance:
        """Count what is stored of what was sent."""
        rows = self._site.sql(
            "SELECT event_id::text FROM interactions_event WHERE event_id = ANY(%s::uuid[])", self.sent
        )
        stored = [event_id for (event_id,) in rows]
        return Balance(
            acknowledged=len(self.acknowledged),
            stored=len(stored),
            lost=len(self.acknowledged - set(stored)),
            doubled=len(stored) - len(set(stored)),
        )
