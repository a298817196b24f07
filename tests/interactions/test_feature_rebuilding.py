"""Redis is filled again by command, and by itself after a loss; what comes in meanwhile is not lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.redis_store import client, key
from interactions import explored, feature_rebuilding, feature_store, features, popularity, redis_breaker, tasks
from interactions.contracts import EventInput
from interactions.recording import record
from tests.interactions.own_redis import OwnRedis
from tests.interactions.test_features import assert_same

pytestmark = pytest.mark.usefixtures("each_redis")

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(autouse=True)
def nothing_held() -> None:
    popularity.forget()
    explored.forget()


def watch(user_id: str, item_id: str, days_ago: float) -> None:
    record([EventInput(user_id, item_id, "watch", NOW - timedelta(days=days_ago))])


@pytest.fixture
def three_users(committed: dict[str, int]) -> dict[str, int]:
    watch("old", "heat", 9)
    watch("new", "heat", 1)
    watch("mid", "up", 5)
    empty_redis()
    return committed


def empty_redis() -> None:
    """What FLUSHALL does to this test's keys."""
    client().delete(*client().scan_iter(key("*")))


def is_cached(user_id: str) -> bool:
    return feature_store.read(user_id)[0].is_known is not None


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("rebuild_features", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_fills_in_every_user_and_what_is_trending(
    three_users: dict[str, int], django_assert_num_queries: Any
) -> None:
    assert run().startswith("3 users stored;")
    popularity.forget()
    for user_id in ("old", "new", "mid"):
        with django_assert_num_queries(0):
            found, _ = features.load(user_id)
        assert_same(found, features.as_of(user_id))
    assert popularity.trending().everywhere.pks.tolist() == [three_users["heat"], three_users["up"]]
    assert run().startswith("0 users stored;")


def test_who_was_active_last_comes_first(three_users: dict[str, int]) -> None:
    assert run("--most", "2").startswith("2 users stored;")
    assert [is_cached(user_id) for user_id in ("new", "mid", "old")] == [True, True, False]


def test_users_come_in_parts(three_users: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_rebuilding, "BATCH", 2)
    told = []
    assert feature_rebuilding.rebuild(lambda step, done, total: told.append((step, done))) == 3
    assert told == [("users", 2), ("users", 3)]


def test_one_user_is_read_again_whatever_redis_says(three_users: dict[str, int]) -> None:
    features.load("new")
    client().hset(feature_store.user_key("new"), "s", b"")
    assert features.load("new")[0].seen_pks.tolist() == []
    run("--user", "new")
    assert features.load("new")[0].seen_pks.tolist() == [three_users["heat"]]
    assert not is_cached("mid")


def test_an_event_that_comes_in_meanwhile_is_not_lost(
    three_users: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_postgres = features._from_database

    def read_then_be_overtaken(*arguments: Any) -> Any:
        result = read_postgres(*arguments)
        watch("new", "alien", 0)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(features, "_from_database", read_then_be_overtaken)
        assert feature_rebuilding.rebuild() == 2
    assert not is_cached("new")
    assert features.load("new")[0].item_pks.tolist() == [three_users["alien"], three_users["heat"]]


def test_an_emptied_redis_is_filled_by_itself_once(three_users: dict[str, int]) -> None:
    assert not feature_rebuilding.is_filled()
    assert tasks.refill_features() == 3
    assert feature_rebuilding.is_filled()
    assert tasks.refill_features() == 0
    empty_redis()
    assert tasks.refill_features() == 3


@pytest.mark.parametrize("refill", [tasks.refill_features, feature_rebuilding.rebuild])
def test_a_redis_that_came_back_older_is_not_believed(
    three_users: dict[str, int], monkeypatch: pytest.MonkeyPatch, refill: Callable[[], int]
) -> None:
    """A server started again from a file lacks its newest writes; its run id tells."""
    tasks.refill_features()
    old = client().hgetall(feature_store.user_key("new"))
    watch("new", "alien", 0)
    client().hset(feature_store.user_key("new"), mapping=old)
    assert features.load("new")[0].item_pks.tolist() == [three_users["heat"]]
    monkeypatch.setattr(feature_rebuilding, "_server_run", lambda: b"another")
    assert refill() == 3
    assert features.load("new")[0].item_pks.tolist() == [three_users["alien"], three_users["heat"]]


def test_a_server_that_was_killed_and_came_back_is_filled(
    committed: dict[str, int], own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch("ann", "heat", 1)
    tasks.refill_features()
    assert is_cached("ann")
    own_redis.client.save()
    watch("ann", "alien", 0)
    assert len(features.load("ann")[0].item_pks) == 2
    own_redis.restart_from_file()
    monkeypatch.setattr(redis_breaker, "breaker", redis_breaker.CircuitBreaker())
    # It knows of one event, and says so until beat comes round.
    assert features.load("ann")[0].item_pks.tolist() == [committed["heat"]]
    assert not feature_rebuilding.is_filled()
    assert tasks.refill_features() == 1
    assert features.load("ann")[0].item_pks.tolist() == [committed["alien"], committed["heat"]]
    own_redis.client.flushall()
    assert tasks.refill_features() == 1
    assert is_cached("ann")


def test_while_one_fills_another_does_not(three_users: dict[str, int]) -> None:
    client().set(feature_rebuilding._filling_key(), 1)
    assert tasks.refill_features() == 0
    assert not is_cached("new")


def test_without_redis_the_command_says_so_and_the_task_waits(committed: dict[str, int], dead_redis: object) -> None:
    with pytest.raises(CommandError, match="Redis cannot be filled"):
        run()
    assert tasks.refill_features() == 0
