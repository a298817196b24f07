"""What was shown, while Redis hangs, is emptied or full, and Postgres or the consumer is away: never written twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection

from interactions import impressions, redis_breaker
from interactions.impressions import record, stream_key, write_pending
from interactions.metrics import impressions_dropped
from tests.interactions.own_redis import OwnRedis
from tests.interactions.test_impressions import rows, served

ROOT = Path(django_settings.BASE_DIRECTORY)


@pytest.fixture(autouse=True)
def claims_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a consumer holds belongs to a dead one."""
    monkeypatch.setattr(impressions, "CLAIM_IDLE_MS", 0)


def dropped() -> float:
    return float(impressions_dropped._value.get())


def trust_redis_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())


def test_a_redis_that_hangs_keeps_no_answer_waiting_and_doubles_nothing(
    committed: dict[str, int], own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    record([served(1)])
    own_redis.hang()
    before = dropped()
    # More than it takes for Redis to be left alone.
    for number in range(2, 2 + redis_breaker.FAILURES + 2):
        record([served(number)])
    # It still hangs, and they are in Postgres.
    assert not redis_breaker.breaker.allows()
    assert len(rows()) == 2 * (redis_breaker.FAILURES + 2)
    assert dropped() == before
    own_redis.go_on()
    trust_redis_again(monkeypatch)
    # What was on its way when it hung arrives now: the same lists again.
    assert own_redis.client.xlen(stream_key()) >= 1
    write_pending()
    assert len(rows()) == len(set(rows())) == 2 * (redis_breaker.FAILURES + 3)
    assert own_redis.client.xlen(stream_key()) == 0


def test_with_redis_hung_and_the_table_locked_they_are_counted_as_dropped(
    committed: dict[str, int], own_redis: OwnRedis
) -> None:
    own_redis.hang()
    other = connection.copy()
    before = dropped()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE interactions_impression IN ACCESS EXCLUSIVE MODE")
        record([served(1)])
        assert dropped() - before == 2
        other.rollback()
    finally:
        other.close()
        own_redis.go_on()
    # The request's connection is as it was.
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone()[0] == "5s"
    assert rows() == []


def test_after_flushall_the_next_lists_are_written(committed: dict[str, int], own_redis: OwnRedis) -> None:
    record([served(1)])
    write_pending()
    own_redis.client.flushall()
    assert write_pending() == 0
    own_redis.client.flushall()
    record([served(2)])
    assert write_pending() == 2
    assert {row[0].int for row in rows()} == {1, 2}


def test_flushall_while_a_batch_is_written_doubles_nothing(committed: dict[str, int], own_redis: OwnRedis) -> None:
    record([served(1), served(2)])
    assert write_pending(lambda lists: own_redis.client.flushall()) == 4
    record([served(2), served(3)])
    assert write_pending() == 2
    assert len(rows()) == len(set(rows())) == 6


def test_a_full_redis_takes_no_lists_and_is_emptied_all_the_same(
    committed: dict[str, int], own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """maxmemory with noeviction: Postgres takes the new ones, and the worker makes room by writing the old ones."""
    write_pending()
    record([served(1), served(2)])
    assert own_redis.client.config_set("maxmemory-policy", "noeviction")
    assert own_redis.client.config_set("maxmemory", "1")
    record([served(3)])
    assert {row[0].int for row in rows()} == {3}
    assert write_pending() == 4
    assert own_redis.client.xlen(stream_key()) == 0
    own_redis.client.config_set("maxmemory", "0")
    trust_redis_again(monkeypatch)
    record([served(4)])
    assert own_redis.client.xlen(stream_key()) == 1


def test_with_postgres_away_the_stream_keeps_everything(
    committed: dict[str, int], own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")
    before = dropped()
    # Requests need Redis alone.
    record([served(1)])
    with pytest.raises(OperationalError):
        write_pending()
    assert dropped() == before
    assert own_redis.client.xlen(stream_key()) == 1
    own_redis.hang()
    record([served(2)])
    assert dropped() - before == 2
    own_redis.go_on()
    trust_redis_again(monkeypatch)
    monkeypatch.undo()
    connection.close()
    monkeypatch.setattr(impressions, "CLAIM_IDLE_MS", 0)
    write_pending()
    assert 1 in {row[0].int for row in rows()}
    assert len(rows()) == len(set(rows()))


KILLED = """
import os, signal, sys
import django
from django.conf import settings
name, url, prefix = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = name
settings.REDIS_URL, settings.REDIS_KEY_PREFIX = url, prefix
django.setup()
from interactions.impressions import write_pending
write_pending(lambda lists: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_what_a_killed_consumer_held_is_written_by_another(
    committed: dict[str, int], own_redis: OwnRedis, settings: Any
) -> None:
    record([served(1), served(2)])
    arguments = [connection.settings_dict["NAME"], own_redis.url, settings.REDIS_KEY_PREFIX]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "recsite.settings"}
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert rows() == []
    assert own_redis.client.xpending(stream_key(), impressions.GROUP)["pending"] == 2
    assert write_pending() == 4
    assert write_pending() == 0
    assert own_redis.client.xlen(stream_key()) == 0
