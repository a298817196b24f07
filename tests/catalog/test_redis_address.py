"""One server or several sentinels: what an address means, and a master that changes."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django.test import override_settings

from catalog import redis_store
from catalog.redis_address import Sentinels, sentinels
from recsite.local_services.server import wait_until
from recsite.local_services.valkey import Valkey

PLACE = "redis+sentinel://:s%40fe@one:26379,two/mymaster/2"


def test_an_address_of_one_server_names_no_sentinels() -> None:
    assert sentinels("redis://localhost:6379/0") is None
    assert sentinels("unix:///run/valkey.sock?db=0") is None


def test_an_address_of_sentinels() -> None:
    found = sentinels(PLACE)
    assert found == Sentinels([("one", 26379), ("two", 26379)], "mymaster", 2, None, "s@fe")


def test_the_broker_is_at_the_same_place() -> None:
    found = sentinels("redis+sentinel://one:1,two:2/mymaster")
    assert found is not None
    assert found.broker() == ("sentinel://one:1/0;sentinel://two:2/0", {"master_name": "mymaster"})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+sentinel://one:26379", "needs the master's name"),
        ("redis+sentinel:///mymaster", "names no host"),
        ("redis+sentinel://one,,two/mymaster", "names no host"),
        ("redis+sentinel://one:port/mymaster", "'port' is not a port"),
        ("redis+sentinel://one/mymaster/first", "'first' is not a database"),
    ],
)
def test_what_is_wrong_in_an_address_is_said(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sentinels(url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Return a function that starts Valkey with options; its port."""
    program = Valkey(tmp_path, tmp_path).program
    started: list[subprocess.Popen[bytes]] = []

    def start(*options: str) -> int:
        port = free_port()
        folder = tmp_path / str(port)
        folder.mkdir()
        config = folder / "valkey.conf"
        config.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}\nsave ''\n" + "\n".join(options) + "\n")
        sentinel = ["--sentinel"] if any(option.startswith("sentinel ") for option in options) else []
        output = (folder / "log").open("wb")
        started.append(
            subprocess.Popen([str(program), str(config), *sentinel], stdout=output, stderr=subprocess.STDOUT)
        )
        output.close()
        with redis.Redis(port=port) as server:
            assert wait_until(lambda: answers(server), 20), (folder / "log").read_text()
        return port

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


def answers(server: redis.Redis) -> bool:
    try:
        return bool(server.ping())
    except redis.RedisError:
        return False


def test_the_client_follows_the_master(start: Callable[..., int]) -> None:
    master = start()
    replica = start(f"replicaof 127.0.0.1 {master}")
    watch = start(
        f"sentinel monitor mymaster 127.0.0.1 {master} 1",
        "sentinel down-after-milliseconds mymaster 500",
        "sentinel failover-timeout mymaster 5000",
    )
    with redis.Redis(port=master) as first, redis.Redis(port=replica) as second, redis.Redis(port=watch) as observer:
        assert wait_until(lambda: len(observer.execute_command("SENTINEL", "REPLICAS", "mymaster")) == 1, 30)
        assert wait_until(lambda: second.info("replication")["master_link_status"] == "up", 30)
        redis_store.client.cache_clear()
        with override_settings(REDIS_URL=f"redis+sentinel://127.0.0.1:{watch}/mymaster/0"):
            client = redis_store.client()
        redis_store.client.cache_clear()
        with client, client.connection_pool.sentinel_manager.sentinels[0]:
            client.set("kept", "here")
            assert redis_store.round_trip(client, [["GET", "kept"]]) == [b"here"]
            client.wait(1, 5000)
            os.kill(first.info("server")["process_id"], 9)
            assert wait_until(lambda: answers(client), 60)
            assert redis_store.round_trip(client, [["GET", "kept"], ["SET", "more", "1"]]) == [b"here", b"OK"]
            assert second.get("more") == b"1"
