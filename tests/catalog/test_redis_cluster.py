"""The client of a cluster: where commands go, and what becomes of them when slots and nodes do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import ClusterDownError

from catalog import redis_cluster, redis_slots, redis_store
from catalog.redis_address import ClusterNodes, cluster_nodes, sentinels
from catalog.redis_cluster import Cluster
from catalog.redis_store import client, round_trip
from tests.redis_cluster import OwnCluster

NAMES = [f"name{number}" for number in range(60)]


def test_an_address_of_a_cluster() -> None:
    found = cluster_nodes("redis+cluster://me:s%40fe@one:7000,two,three:7002")
    assert found == ClusterNodes([("one", 7000), ("two", 6379), ("three", 7002)], "me", "s@fe")
    assert cluster_nodes("redis+cluster://one/0") == ClusterNodes([("one", 6379)], None, None)


def test_other_addresses_name_no_cluster() -> None:
    assert cluster_nodes("redis://localhost:6379/2") is None
    assert cluster_nodes("redis+sentinel://one/mymaster") is None
    assert sentinels("redis+cluster://one:7000") is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+cluster://", "redis\\+cluster:// names no host"),
        ("redis+cluster://one,,two", "names no host"),
        ("redis+cluster://one:port", "'port' is not a port"),
        ("redis+cluster://one:7000/1", "database 0 only, not '1'"),
        ("redis+cluster://one/mymaster", "database 0 only, not 'mymaster'"),
        ("redis+cluster://one?db=1", "takes no options, but has 'db=1'"),
    ],
)
def test_what_is_wrong_in_an_address_is_said(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cluster_nodes(url)


def test_the_client_knows_time_outs_and_user(cluster: OwnCluster, settings: Any) -> None:
    found: Any = client()
    assert isinstance(found, Cluster)
    options = found.get_connection_kwargs()
    assert options["socket_timeout"] == options["socket_connect_timeout"] == settings.REDIS_TIMEOUT_SECONDS


def test_answers_come_in_the_order_of_the_commands(cluster: OwnCluster) -> None:
    assert len({cluster.owner(name).port for name in NAMES}) == 3
    assert round_trip(client(), [("SET", name, name.upper()) for name in NAMES]) == [b"OK"] * len(NAMES)
    assert round_trip(client(), [("GET", name) for name in NAMES]) == [name.upper().encode() for name in NAMES]
    assert len(cluster.keys()) == len(NAMES)


def test_each_node_is_asked_once_a_round_trip(cluster: OwnCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    round_trip(client(), [("GET", name) for name in NAMES])
    before = [node.ask("INFO", "stats")["total_reads_processed"] for node in cluster.nodes]
    round_trip(client(), [("GET", name) for name in NAMES])
    after = [node.ask("INFO", "stats")["total_reads_processed"] for node in cluster.nodes]
    # One for the commands, one for the INFO itself.
    assert [late - early for early, late in zip(before, after, strict=True)] == [2, 2, 2]


def test_methods_answer_as_those_of_one_server(cluster: OwnCluster) -> None:
    found = client()
    found.hset("one", mapping={"a": 1, "b": 2})
    assert found.hgetall("one") == {b"a": b"1", b"b": b"2"}
    assert found.set("two", 1, nx=True, ex=60) is True
    assert found.set("two", 1, nx=True, ex=60) is None
    assert found.eval("return redis.call('GET', KEYS[1])", 1, "two") == b"1"
    assert found.delete("one", "two", "three") == 2
    assert cluster.keys() == set()


def test_a_refused_command_is_an_error_and_the_others_are_done(cluster: OwnCluster) -> None:
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        round_trip(client(), [("SET", NAMES[0], 1), ("INCR", NAMES[0]), ("HGET", NAMES[0], "x"), ("SET", NAMES[1], 2)])
    assert round_trip(client(), [("GET", NAMES[0]), ("GET", NAMES[1])]) == [b"2", b"2"]


def test_every_server_of_a_cluster_is_there_to_scan(cluster: OwnCluster) -> None:
    round_trip(client(), [("SET", name, 1) for name in NAMES])
    found = [name.decode() for server in redis_store.servers(client()) for name in server.scan_iter("name*")]
    assert sorted(found) == sorted(NAMES)


def test_one_server_is_all_of_its_servers() -> None:
    assert redis_store.servers(client()) == [client()]


def test_a_slot_that_moved_is_followed(cluster: OwnCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    name = NAMES[7]
    client().set(name, "before")
    redirected = count_redirections(monkeypatch)
    with cluster.moving(name) as target:
        assert client().get(name) == b"before"
        assert round_trip(client(), [("SET", name, "during"), ("GET", NAMES[8])]) == [b"OK", None]
        assert (redirected.count("ASK"), redirected.count("MOVED")) == (2, 0)
    assert client().get(name) == b"during"
    assert redirected.count("MOVED") == 1
    # The map knows it by now.
    assert client().get(name) == b"during"
    assert redirected.count("MOVED") == 1
    assert target.ask("GET", name) == b"during"


def test_a_slot_may_move_while_many_write(cluster: OwnCluster) -> None:
    name, stop, done = NAMES[3], threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            round_trip(client(), [("INCR", name), ("GET", NAMES[4])])
            done[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            with cluster.moving(name):
                time.sleep(0.1)
    finally:
        stop.set()
        writer.join()
    assert int(client().get(name) or 0) == done[0] > 0


def test_a_killed_node_fails_only_what_lies_on_it(fragile_cluster: OwnCluster, settings: Any) -> None:
    here, there = apart(fragile_cluster)
    round_trip(client(), [("SET", here, 1), ("SET", there, 1)])
    node = fragile_cluster.owner(here)
    node.kill()
    assert client().get(there) == b"1"
    started = time.monotonic()
    with pytest.raises(redis.ConnectionError):
        round_trip(client(), [("INCR", here), ("INCR", there)])
    assert time.monotonic() - started < settings.REDIS_TIMEOUT_SECONDS
    assert client().get(there) == b"2"
    node.start()
    fragile_cluster.wait()
    assert answers_again(lambda: client().get(here)) == b"1"


def test_a_hung_node_costs_one_time_out_and_is_left_alone(
    fragile_cluster: OwnCluster, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cluster, "LEFT_ALONE_SECONDS", 60)
    here, there = apart(fragile_cluster)
    round_trip(client(), [("SET", here, 1), ("SET", there, 1)])
    node = fragile_cluster.owner(here)
    node.hang()
    try:
        spent = [seconds_of_failure(here) for _ in range(20)]
        assert client().get(there) == b"1"
    finally:
        node.go_on()
    assert settings.REDIS_TIMEOUT_SECONDS <= max(spent) < 2 * settings.REDIS_TIMEOUT_SECONDS
    assert sum(spent[1:]) < settings.REDIS_TIMEOUT_SECONDS


def test_three_hung_nodes_cost_one_time_out(fragile_cluster: OwnCluster, settings: Any) -> None:
    round_trip(client(), [("SET", name, 1) for name in NAMES])
    for node in fragile_cluster.nodes:
        node.hang()
    try:
        started = time.monotonic()
        with pytest.raises(redis.TimeoutError):
            round_trip(client(), [("GET", name) for name in NAMES])
        assert time.monotonic() - started < 2 * settings.REDIS_TIMEOUT_SECONDS
    finally:
        for node in fragile_cluster.nodes:
            node.go_on()


def test_a_cluster_that_is_down_is_an_error_at_once(fragile_cluster: OwnCluster, settings: Any) -> None:
    here, there = apart(fragile_cluster)
    client().set(there, 1)
    for node in fragile_cluster.nodes:
        node.ask("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    lost = fragile_cluster.owner(here)
    lost.kill()
    assert answers_again(lambda: not any(node.says_ok() for node in fragile_cluster.nodes if node is not lost)) is True
    started = time.monotonic()
    with pytest.raises(ClusterDownError):
        client().get(there)
    assert time.monotonic() - started < settings.REDIS_TIMEOUT_SECONDS


def test_a_replica_that_took_over_is_found(fragile_cluster: OwnCluster, tmp_path: Path) -> None:
    here, there = apart(fragile_cluster)
    lost = fragile_cluster.owner(here)
    replica = fragile_cluster.add_replica(lost, tmp_path / "replica")
    round_trip(client(), [("SET", here, 1), ("SET", there, 1)])
    lost.client.wait(1, 5000)
    lost.kill()
    assert answers_again(lambda: client().get(here)) == b"1"
    assert round_trip(client(), [("INCR", here), ("INCR", there)]) == [2, 2]
    assert replica.ask("GET", here) == b"2"
    assert len(redis_store.servers(client())) == 3


def test_without_any_node_the_client_says_so(fragile_cluster: OwnCluster) -> None:
    redis_store.client.cache_clear()
    for node in fragile_cluster.nodes:
        node.kill()
    with pytest.raises(redis.ConnectionError, match="cannot be connected"):
        client()
    for node in fragile_cluster.nodes:
        node.start()
    fragile_cluster.wait()
    assert client().get("nothing") is None


def test_users_of_a_bucket_lie_in_one_slot_and_buckets_on_all_nodes(cluster: OwnCluster) -> None:
    users = [f"user {{{number}}}" for number in range(2000)]
    parts = redis_slots.by_bucket(users)
    assert sorted(user for part in parts for user in part) == sorted(users)
    assert 400 < len(parts) <= redis_slots.BUCKETS
    for part in parts[:50]:
        names = [redis_slots.user_key(user, "user", user) for user in part] + [redis_slots.user_key(part[0], "writing")]
        assert len({cluster.slot(name) for name in names}) == 1
    owners = [cluster.owner(redis_slots.user_key(part[0], "writing")).port for part in parts[:60]]
    assert len(set(owners)) == 3


def test_a_user_is_found_in_his_key(cluster: OwnCluster) -> None:
    for user in ("ann", "a:b", "{7}:ann", "}"):
        assert redis_slots.user_id_in("user", redis_slots.user_key(user, "user", user)) == user


def test_the_bucket_of_a_user_never_changes(cluster: OwnCluster, redis_prefix: str) -> None:
    assert redis_slots.user_key("ann", "user", "ann") == f"{redis_prefix}:user:{{115}}:ann"


def test_one_server_has_the_keys_it_always_had(redis_prefix: str) -> None:
    assert redis_slots.user_key("ann", "user", "ann") == f"{redis_prefix}:user:ann"
    assert redis_slots.user_key("ann", "writing") == f"{redis_prefix}:writing"
    assert redis_slots.user_id_in("user", f"{redis_prefix}:user:a:b") == "a:b"
    assert redis_slots.by_bucket(["ann", "bob"]) == [["ann", "bob"]]


def apart(nodes: OwnCluster) -> tuple[str, str]:
    """Return two keys on different nodes."""
    first = NAMES[0]
    return first, next(name for name in NAMES if nodes.owner(name) is not nodes.owner(first))


def seconds_of_failure(name: str) -> float:
    started = time.monotonic()
    with pytest.raises(redis.RedisError):
        client().get(name)
    return time.monotonic() - started


def answers_again(call: Callable[[], Any]) -> Any:
    """Return what the call does, once it is neither an error nor False."""
    deadline = time.monotonic() + 20
    while True:
        try:
            found = call()
        except redis.RedisError:
            found = False
        if found is not False or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def count_redirections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    reply = redis_cluster._reply

    def counted(connection: Any) -> Any:
        answer = reply(connection)
        if isinstance(answer, redis_cluster.AskError):
            found.append("MOVED" if isinstance(answer, redis_cluster.MovedError) else "ASK")
        return answer

    monkeypatch.setattr(redis_cluster, "_reply", counted)
    return found
