"""A web server that is told to stop finishes what it has begun, and loses nothing that it has answered."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest
from django.db import connection

from interactions import impressions
from interactions.models import Event, Impression
from recsite import api_keys
from recsite.demo import programs
from recsite.local_services.server import wait_until
from recsite.processes import GUARD
from tests.chaos.processes import children
from tests.recommender.conftest import fresh_process, models  # noqa: F401 -- fixtures
from tests.recommender.film_site import FilmSite
from tests.web_server import web_server

LISTS, EVENTS = 5, 4


@contextmanager
def held_up() -> Iterator[None]:
    """Keep every writer of events waiting inside the `with` block."""
    holder = connection.copy()
    with closing(holder), holder.cursor() as cursor:
        holder.set_autocommit(False)
        cursor.execute("LOCK TABLE interactions_event IN EXCLUSIVE MODE")
        yield
        holder.rollback()


def waiting_writers() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
            "AND query LIKE '%interactions_event%'"
        )
        [[count]] = cursor.fetchall()
    return int(count)


def server_process() -> int:
    """Return the id of the server's main process, which its guard has started."""
    guards = [one for one in children(os.getpid()) if str(GUARD).encode() in Path(f"/proc/{one}/cmdline").read_bytes()]
    [main] = children(guards[-1])
    return main


def is_refused(port: int) -> bool:
    try:
        with socket.create_connection((programs.HOST, port), timeout=0.2):
            return False
    except ConnectionRefusedError:
        return True


@pytest.mark.usefixtures("committing_database", "models")
def test_a_server_that_is_stopped_finishes_its_requests(tmp_path: Path) -> None:
    FilmSite(nullcontext).does("ann", ("watch", "heat"))
    headers = {
        "Authorization": f"Api-Key {api_keys.create('test', ['read', 'events'])}",
        "Content-Type": "application/json",
    }

    def ask(method: str, path: str, body: object = None) -> int:
        with closing(http.client.HTTPConnection(programs.HOST, port, timeout=60)) as asked:
            asked.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
            answer = asked.getresponse()
            answer.read()
            return answer.status

    def post(number: int) -> int:
        return ask("POST", "events", {"user_id": f"user-{number}", "item_id": "heat", "event_type": "watch"})

    with web_server(tmp_path) as port, ThreadPoolExecutor(EVENTS) as threads:
        assert {ask("GET", "recommendations/ann?limit=3") for _ in range(LISTS)} == {200}
        with held_up():
            posts = [threads.submit(post, number) for number in range(EVENTS)]
            assert wait_until(lambda: waiting_writers() == EVENTS, 30)
            main = server_process()
            os.kill(main, signal.SIGTERM)
            assert wait_until(lambda: is_refused(port), 30)
            assert not any(one.done() for one in posts)
        assert [one.result(60) for one in posts] == [202] * EVENTS
        assert wait_until(lambda: not Path(f"/proc/{main}/exe").exists(), 60)
    assert Event.objects.count() == 1 + EVENTS
    # What was shown a moment before waited in the process's memory.
    impressions.write_pending()
    assert Impression.objects.count() == LISTS * 3
