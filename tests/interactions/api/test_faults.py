"""Events posted while Redis hangs, is emptied or is full, and while Postgres is killed: on servers of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import close_old_connections, connection, connections
from pytest_django import DjangoDbBlocker

from catalog import redis_store
from interactions import features, recording, redis_breaker, stale_histories
from interactions.models import Event, EventKey, StaleHistory
from recsite import api_keys
from recsite.local_services import account
from recsite.local_services.postgres import Postgres
from recsite.local_services.server import Server
from recsite.local_services.valkey import Valkey
from tests.interactions.api.conftest import Send
from tests.interactions.conftest import create_items

EVENT = {"user_id": "ann", "item_id": "heat", "event_type": "watch", "timestamp": "2026-01-01T00:00:00Z"}


@contextmanager
def folder() -> Iterator[Path]:
    # Short, since a socket's path may not be long, and open to the account that the servers run as.
    path = Path(tempfile.mkdtemp(prefix="recsite-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def start(server: Server) -> None:
    chosen = account.choose(server.run.parent, [server.program])
    chosen.own(server.run)
    server.start(chosen)


@pytest.fixture
def valkey(settings: django_settings) -> Iterator[Valkey]:
    """A Redis that may be harmed, asked by whoever asks for one."""
    shared = settings.REDIS_URL
    with folder() as path:
        server = Valkey(path / "valkey", path / "run")
        start(server)
        settings.REDIS_URL = f"unix://{server.socket}?db=0"
        redis_store.client.cache_clear()
        try:
            yield server
        finally:
            settings.REDIS_URL = shared
            redis_store.client.cache_clear()
            for process in server._processes():
                os.kill(process, signal.SIGCONT)
            server.stop()


def stop_answering(server: Valkey) -> None:
    for process in server._processes():
        os.kill(process, signal.SIGSTOP)


def answer_again(server: Valkey) -> None:
    for process in server._processes():
        os.kill(process, signal.SIGCONT)
    redis_breaker.breaker.succeeded()


def empty(server: Valkey) -> None:
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.flushall()


def fill(server: Valkey) -> None:
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")


def make_room(server: Valkey) -> None:
    with redis.Redis(unix_socket_path=str(server.socket)) as client:
        client.config_set("maxmemory", "0")
    redis_breaker.breaker.succeeded()


def nothing(server: Valkey) -> None:
    """Take no harm back."""


FAULTS = [(stop_answering, answer_again), (fill, make_room), (empty, nothing)]


def watched() -> list[int]:
    """Return what the next request would know of Ann, which must be what Postgres knows."""
    found = features.load("ann")[0]
    assert found.item_pks.tolist() == features.as_of("ann").item_pks.tolist()
    return sorted(found.item_pks.tolist())


def post(send: Send, item_id: str) -> None:
    answer = send("POST", "events", EVENT | {"item_id": item_id})
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


@pytest.mark.parametrize(("harm", "mend"), FAULTS)
def test_an_event_posted_during_a_fault_of_redis_counts_when_it_is_over(
    committed: dict[str, int],
    send: Send,
    valkey: Valkey,
    harm: Callable[[Valkey], None],
    mend: Callable[[Valkey], None],
) -> None:
    post(send, "heat")
    assert watched() == [committed["heat"]]
    harm(valkey)
    post(send, "up")
    # A Redis that hangs is waited for once: what could not be opened is not closed.
    assert redis_breaker.breaker._failures == (harm is not empty)
    assert StaleHistory.objects.count() == (harm is not empty)
    mend(valkey)
    while stale_histories.mend():
        pass
    assert watched() == sorted([committed["heat"], committed["up"]])


@pytest.mark.parametrize(("harm", "mend"), FAULTS)
def test_an_event_that_redis_was_not_told_of_after_the_commit_counts_at_once(
    committed: dict[str, int],
    send: Send,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Valkey], None],
    mend: Callable[[Valkey], None],
) -> None:
    post(send, "heat")
    assert watched() == [committed["heat"]]
    close = recording._close_writes

    def harm_first(*arguments: Any) -> None:
        harm(valkey)
        close(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(recording, "_close_writes", harm_first)
        post(send, "up")
    assert watched() == sorted([committed["heat"], committed["up"]])
    mend(valkey)
    assert watched() == sorted([committed["heat"], committed["up"]])
    post(send, "alien")
    assert watched() == sorted(committed[name] for name in ("heat", "up", "alien"))


def test_a_full_redis_still_drops_what_is_stale(committed: dict[str, int], send: Send, valkey: Valkey) -> None:
    post(send, "heat")
    watched()
    fill(valkey)
    post(send, "up")
    assert stale_histories.mend() == 1
    assert watched() == sorted([committed["heat"], committed["up"]])


@pytest.fixture
def postgres(django_db_blocker: DjangoDbBlocker) -> Iterator[Postgres]:
    """A Postgres that may be killed, with four items in a database that all connections of this process go to."""
    shared = dict(connection.settings_dict)
    with folder() as path, django_db_blocker.unblock():
        server = Postgres(path / "pg", path / "run")
        start(server)
        server.ensure_database("faults")
        connection.close()
        connection.settings_dict.update(NAME="faults", HOST=str(server.run))
        try:
            call_command("migrate", verbosity=0)
            create_items()
            yield server
        finally:
            connection.close()
            connection.settings_dict.update(shared)
            server.stop()


def test_a_killed_postgres_loses_nothing_acknowledged_and_stores_nothing_twice(postgres: Postgres, send: Send) -> None:
    first = send("POST", "events", EVENT)
    assert first.status_code == 202
    events = [EVENT | {"event_id": str(UUID(int=n)), "user_id": f"user{n % 50}"} for n in range(1, 2001)]
    batches = [events[start : start + 50] for start in range(0, len(events), 50)]
    answers: list[tuple[int, str]] = []
    acknowledged: set[UUID] = set()
    under_way = threading.Event()

    def deliver() -> None:
        try:
            for number, batch in enumerate(batches):
                if number == 3:
                    under_way.set()
                for _ in range(10_000):
                    # As the server does before each request.
                    close_old_connections()
                    answer = send("POST", "events", json.dumps({"events": batch}))
                    body = answer.json()
                    answers.append((answer.status_code, body.get("error", {}).get("code", "")))
                    if answer.status_code == 202:
                        assert body["accepted"] + body["duplicate"] == len(batch)
                        acknowledged.update(UUID(event["event_id"]) for event in batch)
                        break
                    recovered.wait(0.05)
        finally:
            under_way.set()
            connections.close_all()

    recovered = threading.Event()
    sender = threading.Thread(target=deliver)
    sender.start()
    under_way.wait()
    for process in postgres._processes():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    start(postgres)
    recovered.set()
    sender.join()
    connection.close()
    assert set(answers) == {(202, ""), (503, "unavailable")}
    assert acknowledged == {UUID(event["event_id"]) for event in events}
    stored = list(Event.objects.exclude(user__user_id="ann").values_list("event_id", flat=True))
    assert len(stored) == len(acknowledged)
    assert set(stored) == acknowledged
    assert EventKey.objects.count() == len(acknowledged)
    api_keys.forget()
