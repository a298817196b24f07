"""More is asked than can be answered, or asked so slowly that it holds what others need."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import Counter

import pytest

from recsite.demo import programs
from tests.chaos.ledger import Ledger, events
from tests.chaos.report import Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import Site

SECONDS = float(os.environ.get("CHAOS_OVERLOAD_SECONDS", "60"))


class Exports:
    """Threads that ask for everything about a person, again and again."""

    def __init__(self, site: Site, threads: int) -> None:
        self._site = site
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(threads)]
        self.statuses: Counter[int] = Counter()
        self.unmarked = 0

    def __enter__(self) -> Exports:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            status, _, headers = self._site.ask("GET", "/api/v1/users/user-1")
            self.statuses[status] += 1
            self.unmarked += status == 503 and not {"Retry-After", "retry-after"} & set(headers)


@pytest.mark.long
@pytest.mark.fault(32)
def test_five_times_the_traffic(site: Site, line: Line) -> None:
    """Two connections of each kind are normal; ten of each come, and batches and exports with them."""
    with ServingProbe(site) as normal, Ledger(site, size=2):
        normal.wait_for(200)
    with (
        Ledger(site, threads=10, size=2, pause=0) as clicks,
        Ledger(site, threads=6, size=500, pause=0) as bulk,
        Exports(site, threads=6) as exports,
        ServingProbe(site, threads=10, pause=0) as probe,
    ):
        time.sleep(SECONDS)
    with ServingProbe(site) as after:
        after.wait_for(200, 30)
    refused = {
        name: Counter(status for status, *_ in one.refusals) for name, one in (("clicks", clicks), ("bulk", bulk))
    }
    line.notes.append(
        f"clicks {len(clicks.acknowledged)} taken, {len(clicks.refusals)} requests refused; "
        f"bulk {len(bulk.acknowledged)} taken, {len(bulk.refusals)} refused; "
        f"exports {exports.statuses[200]} answered, {exports.statuses[503]} refused; "
        f"p99 {1000 * normal.percentile(0.99):.0f} ms before, {1000 * probe.percentile(0.99):.0f} while, "
        f"{1000 * after.percentile(0.99):.0f} after"
    )
    assert set(refused["clicks"]) <= {503}
    assert set(refused["bulk"]) <= {503}
    assert set(exports.statuses) <= {200, 503}
    assert bulk.refusals
    assert exports.statuses[503]
    assert exports.unmarked == 0
    assert all(retry_after for one in (clicks, bulk) for _, retry_after, _ in one.refusals)
    line.took(probe)
    line.took(after)
    line.balanced(clicks)
    line.balanced(bulk)


@pytest.mark.long
@pytest.mark.fault(33)
def test_slow_clients(site: Site, line: Line) -> None:
    """Twenty-five heads, twenty-five bodies and ten silent connections, a byte a second."""
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: {programs.HOST}\r\nAuthorization: Api-Key {site.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    ).encode()
    slow = [socket.create_connection((programs.HOST, site.port)) for _ in range(60)]
    for client in slow[25:50]:
        client.sendall(head)
    ledger = Ledger(site)
    with ServingProbe(site) as probe:
        for second in range(20):
            for client in slow[:25]:
                with contextlib.suppress(OSError):
                    client.sendall(head[second : second + 1])
            for client in slow[25:50]:
                with contextlib.suppress(OSError):
                    client.sendall(b" ")
            time.sleep(1)
        status = ledger.send(events(5))
        line.notes.append(f"events meanwhile: {status}")
        # Those that come slowly may have all the places that events have.
        assert status in (202, 503)
    for client in slow:
        client.close()
    for _ in range(5):
        ledger.deliver(events(20))
    line.took(probe)
    line.balanced(ledger)
