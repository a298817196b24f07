"""Consumers are killed again and again: what is written is what Postgres alone would have written, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from catalog.models import Item
from interactions.contracts import EventInput
from interactions.event_log.kafka import KafkaEventLog
from interactions.models import Event
from interactions.recording import record

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BATCH = 1_000
MOST_AHEAD = 20_000
"""Messages not yet written: the brokers of the tests forget what is more than 5 MB old."""
USERS, ITEMS = 500, 50
ROWS = "SELECT event_id, user_id, item_id, event_type_id, occurred_at, value FROM interactions_event"


def batch(first: int) -> list[EventInput]:
    """Return events with ids, the same ones every time, every tenth of which comes twice."""
    numbers = [number for number in range(first, first + BATCH) for _ in range(1 + (number % 10 == 0))]
    return [
        EventInput(
            event_id=UUID(int=number),
            user_id=f"user{number % USERS}",
            item_id=f"item{number % ITEMS}",
            event_type=("view", "click", "watch")[number % 3],
            occurred_at=NOON - timedelta(seconds=number),
        )
        for number in numbers
    ]


@pytest.fixture
def items(committed: None) -> None:
    Item.objects.bulk_create(Item(item_id=f"item{number}", title=f"Item {number}") for number in range(ITEMS))


@pytest.fixture
def consumers(cluster: Any, kafka: KafkaEventLog) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start consumers of their own processes, on this test's database."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.web_settings",
            "STARTER_DATABASE": str(connection.settings_dict["NAME"]),
            "STARTER_SETTINGS": json.dumps({"INTERACTIONS_EVENT_LOG": django_settings.INTERACTIONS_EVENT_LOG}),
        }
        process = subprocess.Popen([sys.executable, "manage.py", "consume_events"], env=environment, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def written() -> int:
    return Event.objects.count()


def send(log: KafkaEventLog, total: int, stop: threading.Event) -> None:
    """Append all events, as fast as they are written."""
    try:
        for first in range(0, total, BATCH):
            while first - written() > MOST_AHEAD and not stop.wait(0.05):
                pass
            if stop.is_set():
                return
            log.append(batch(first))
    finally:
        connections.close_all()


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize(("total", "kills"), [(6_000, 2), pytest.param(1_000_000, 5, marks=pytest.mark.long)])
def test_nothing_is_lost_and_nothing_doubled(
    kafka: KafkaEventLog, consumers: Callable[[], subprocess.Popen[str]], total: int, kills: int
) -> None:
    stop = threading.Event()
    sender = threading.Thread(target=send, args=[kafka, total, stop])
    sender.start()
    try:
        process, killed = consumers(), 0
        deadline = time.monotonic() + 120 + total / 1_000
        while (count := written()) < total and time.monotonic() < deadline:
            # After the first events of each part, so that it is at work, and at any moment of it.
            if killed < kills and count > killed * total // (kills + 1):
                time.sleep(random.uniform(0, 0.2))
                process.send_signal(signal.SIGKILL)
                process.wait()
                process, killed = consumers(), killed + 1
            time.sleep(0.05)
    finally:
        stop.set()
        sender.join()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert killed == kills
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE by_kafka AS {ROWS}")
        try:
            cursor.execute("TRUNCATE interactions_event, interactions_eventkey")
            for first in range(0, total, BATCH):
                record(batch(first))
            cursor.execute("SELECT count(*), count(DISTINCT event_id) FROM by_kafka")
            assert cursor.fetchone() == (total, total)
            cursor.execute(
                f"SELECT count(*) FROM ((TABLE by_kafka EXCEPT {ROWS}) UNION ALL ({ROWS} EXCEPT TABLE by_kafka)) d"
            )
            assert cursor.fetchone() == (0,)
            assert written() == total
        finally:
            cursor.execute("DROP TABLE by_kafka")
