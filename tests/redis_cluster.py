"""A cluster of three Valkeys for the tests, whose nodes can be killed and started, and whose slots can be moved."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from catalog import redis_store
from catalog.redis_address import cluster_nodes
from recsite.local_services.server import wait_until
from recsite.local_services.valkey import Valkey

SLOTS = 16384


class Node:
    """One server of a cluster; a restart leaves it its slots and, where it appends to a file, its keys."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.port, self.bus_port = free_ports(2)
        self.client = redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0))
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = Valkey(self.folder, self.folder).program
        options = (
            f"--port {self.port} --cluster-port {self.bus_port} --bind 127.0.0.1 --dir {self.folder} "
            "--cluster-enabled yes --cluster-node-timeout 2000 --save"
        )
        with (self.folder / "log").open("ab") as log:
            arguments = [str(program), *options.split(), "", *self.options]
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log)
        assert wait_until(self.answers, 20), (self.folder / "log").read_text()

    def kill(self) -> None:
        """End it at once."""
        self.client.close()
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Wake it up."""
        self.process.send_signal(signal.SIGCONT)

    def answers(self) -> bool:
        """Tell whether it does."""
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def ask(self, *command: object) -> Any:
        """Return what this node says, whichever slots it has."""
        return self.client.execute_command(*command)

    def says_ok(self) -> bool:
        """Tell whether it finds the cluster whole."""
        try:
            return b"cluster_state:ok" in self.ask("CLUSTER", "INFO")
        except redis.RedisError:
            return False


class OwnCluster:
    """Three nodes, each with a third of the slots; `options` are Valkey's."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.nodes: list[Node] = []
        for number in range(3):
            (folder / str(number)).mkdir()
            self.nodes.append(Node(folder / str(number), *options))
        first, *others = self.nodes
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // 3, SLOTS * (number + 1) // 3 - 1)
        for node in others:
            node.ask("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus_port)
        self.wait()

    def wait(self) -> None:
        """Wait until every node finds the cluster whole."""
        assert wait_until(lambda: all(node.says_ok() for node in self.nodes), 30)

    @property
    def url(self) -> str:
        """What REDIS_URL is for it."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    def keys(self) -> set[bytes]:
        """Return every key of every node."""
        return {name for node in self.nodes for name in node.ask("KEYS", "*")}

    def contents(self) -> bytes:
        """Return all that the nodes hold, keys and values, as they dump it."""
        return b"".join(name + node.ask("DUMP", name) for node in self.nodes for name in node.ask("KEYS", "*"))

    def flush(self) -> None:
        """Delete every key."""
        for node in self.nodes:
            node.ask("FLUSHALL")

    def slot(self, key: str) -> int:
        """Return the slot of a key."""
        return int(self.nodes[0].ask("CLUSTER", "KEYSLOT", key))

    def owner(self, key: str) -> Node:
        """Return the node that has a key's slot."""
        slot = self.slot(key)
        alive = next(node for node in self.nodes if node.answers())
        [port] = [primary[1] for first, last, primary, *_ in alive.ask("CLUSTER", "SLOTS") if first <= slot <= last]
        return next(node for node in self.nodes if node.port == port)

    @contextmanager
    def moving(self, key: str) -> Iterator[Node]:
        """Move the slot of a key to another node: its keys at once, the slot itself at the end of the block."""
        slot, source = self.slot(key), self.owner(key)
        target = next(node for node in self.nodes if node is not source)
        source_id, target_id = (node.ask("CLUSTER", "MYID").decode() for node in (source, target))
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        for name in source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000):
            source.ask("MIGRATE", "127.0.0.1", target.port, name, 0, 5000)
        yield target
        for node in (target, source, *self.nodes):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def add_replica(self, of: Node, folder: Path) -> Node:
        """Start a node that takes over when `of` is gone."""
        folder.mkdir()
        node = Node(folder, *of.options)
        self.nodes.append(node)
        node.ask("CLUSTER", "MEET", "127.0.0.1", of.port, of.bus_port)
        name = of.ask("CLUSTER", "MYID")
        assert wait_until(lambda: name in node.ask("CLUSTER", "NODES") and node.says_ok(), 30)
        node.ask("CLUSTER", "REPLICATE", name)
        assert wait_until(lambda: node.ask("INFO", "replication")["master_link_status"] == "up", 30)
        return node

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.kill()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@pytest.fixture(scope="session")
def three_nodes() -> Iterator[OwnCluster]:
    """A cluster that tests leave as they find it."""
    with tempfile.TemporaryDirectory() as folder:
        nodes = OwnCluster(Path(folder))
        yield nodes
        nodes.stop()


@pytest.fixture
def cluster(three_nodes: OwnCluster, settings: django_settings) -> Iterator[OwnCluster]:
    """Give the site the cluster that tests share, with nothing in it."""
    with used(three_nodes, settings):
        yield three_nodes
    three_nodes.flush()


@pytest.fixture
def fragile_cluster(settings: django_settings) -> Iterator[OwnCluster]:
    """Give the site a cluster of this test's own, which goes on without a node and writes its keys to files."""
    with tempfile.TemporaryDirectory() as folder:
        nodes = OwnCluster(Path(folder), "--cluster-require-full-coverage", "no", "--appendonly", "yes")
        with used(nodes, settings):
            yield nodes
        nodes.stop()


@pytest.fixture(params=["one server", "cluster"])
def each_redis(request: pytest.FixtureRequest) -> None:
    """Run the test on the local server and on a cluster."""
    if request.param == "cluster":
        request.getfixturevalue("cluster")


def every_server() -> list[redis.Redis]:
    """Return a client of each server that the site uses, which waits: the site's own gives up after 0.2 s."""
    nodes = cluster_nodes(django_settings.REDIS_URL)
    if nodes is None:
        return [redis.Redis.from_url(django_settings.REDIS_URL, socket_timeout=60)]
    return [redis.Redis(host=host, port=port, socket_timeout=60) for host, port in nodes.hosts]


@contextmanager
def used(nodes: OwnCluster, settings: Any) -> Iterator[None]:
    """Have the site use a cluster in the `with` block."""
    shared, settings.REDIS_URL = settings.REDIS_URL, nodes.url
    redis_store.client.cache_clear()
    try:
        yield
    finally:
        settings.REDIS_URL = shared
        redis_store.client().close()
        redis_store.client.cache_clear()
