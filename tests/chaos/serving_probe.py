"""Asks for lists, again and again, while something is harmed: the one thing that has to go on."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

from tests.chaos.site import Site

PATIENCE_SECONDS = 20.0


class ServingProbe:
    """Threads that ask until the `with` block ends. A list is served when it comes with 200 and names an item.

    A connection that dies is tried once more, as every reverse proxy does with a GET.
    """

    def __init__(self, site: Site, *, threads: int = 2, pause: float = 0.02, users: int = 40) -> None:
        self._site = site
        self._pause = pause
        self._users = users
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[number], daemon=True) for number in range(threads)]
        self.seconds: list[float] = []
        """What each list took."""
        self.errors: list[str] = []
        self.fallbacks = 0
        self.retried = 0

    def __enter__(self) -> ServingProbe:
        for thread in self._threads:
            thread.start()
        self.wait_for(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def asked(self) -> int:
        """How many answers, or failures, there were."""
        return len(self.seconds) + len(self.errors)

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the lists came."""
        found = sorted(self.seconds)
        return found[min(len(found) - 1, int(share * len(found)))]

    def wait_for(self, more: int, seconds: float = 60.0) -> None:
        """Wait for so many more answers."""
        until, deadline = self.asked + more, time.monotonic() + seconds
        while self.asked < until:
            assert time.monotonic() < deadline, f"{self.asked} of {until} answers; {self.errors[-3:]}"
            time.sleep(0.02)

    def _ask(self, number: int) -> None:
        connection = self._connected()
        while not self._stop.is_set():
            number += 1
            began = time.monotonic()
            try:
                try:
                    document = self._list(connection, number)
                except (OSError, http.client.HTTPException):
                    self.retried += 1
                    connection.close()
                    connection = self._connected()
                    document = self._list(connection, number)
            except (OSError, http.client.HTTPException, ValueError, AssertionError) as error:
                self.errors.append(f"{type(error).__name__}: {error}"[:300])
                connection.close()
                connection = self._connected()
            else:
                self.seconds.append(time.monotonic() - began)
                self.fallbacks += bool(document["fallback"])
            self._stop.wait(self._pause)
        connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._site.host, self._site.port, timeout=PATIENCE_SECONDS)

    def _list(self, connection: http.client.HTTPConnection, number: int) -> dict[str, Any]:
        path = f"/api/v1/recommendations/user-{number % self._users}?limit=5"
        connection.request("GET", path, headers={"Authorization": f"Api-Key {self._site.key}"})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, f"{answer.status} {content[:200]!r}"
        document: dict[str, Any] = json.loads(content)
        assert document["recommendations"], "an empty list"
        return document
