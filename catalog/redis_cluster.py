"""A client of a Redis Cluster of which a dead node costs a request no more than a dead server does.

redis-py finds the node of a key and keeps the map of the slots; what it does about faults is left out here: it asks
again after a time-out, and sleeps a quarter of a second where the cluster is down. A node that was lost is left alone
for a moment, and the map is read anew beside the request, since a replica may have taken over.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import redis
from redis.cluster import PRIMARY, ClusterNode, RedisCluster, get_node_name
from redis.exceptions import AskError, MovedError, RedisClusterException

logger = logging.getLogger(__name__)

LEFT_ALONE_SECONDS = 1.0
"""How long a node is not asked after it was lost: a hung one would cost each request the whole time-out."""
MOST_REDIRECTIONS = 5

Command = Sequence[Any]
LOST = (redis.ConnectionError, redis.TimeoutError)


class Cluster(RedisCluster):
    """Commands go to the node of their key, those without one where redis-py thinks fit. Every failure is a
    `redis.RedisError`.
    """

    def __init__(self, **options: Any) -> None:
        self._left_alone_until: dict[str, float] = {}
        with _as_redis_error():
            super().__init__(**options)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the reply to one command, as redis-py's methods give it."""
        if "target_nodes" in options or args[0] in self.command_flags:
            with _as_redis_error():
                return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        [reply] = self.round_trip([args])
        options.pop("keys", None)
        # Any node's client knows how replies are to be read.
        node: ClusterNode = self.get_default_node()  # type: ignore[no-untyped-call]
        callback: Any = self.get_redis_connection(node).response_callbacks.get(args[0])  # type: ignore[no-untyped-call]
        return reply if callback is None else callback(reply, **options)

    def round_trip(self, commands: Sequence[Command]) -> list[Any]:
        """Return the replies to commands that are sent together to each node, in the order of the commands.

        Raises
        ------
        redis.RedisError
            A node is away, or a command is refused; the other nodes have done theirs.
        """
        places: dict[ClusterNode, list[int]] = {}
        for place, command in enumerate(commands):
            node: ClusterNode = self.get_node_from_key(_key(command))  # type: ignore[no-untyped-call]
            places.setdefault(node, []).append(place)
        answers = self._exchange({node: [commands[place] for place in theirs] for node, theirs in places.items()})
        replies: list[Any] = [None] * len(commands)
        for node, theirs in places.items():
            for place, reply in zip(theirs, answers[node], strict=True):
                replies[place] = self._followed(commands[place], reply)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def servers(self) -> list[redis.Redis]:
        """Return a client of every node that holds keys of its own; which they are is read anew.

        Raises
        ------
        redis.RedisError
        """
        with _as_redis_error():
            self.nodes_manager.initialize()
        return [self.get_redis_connection(node) for node in self.get_primaries()]  # type: ignore[no-untyped-call]

    def _exchange(self, asked: Mapping[ClusterNode, Sequence[Command]]) -> dict[ClusterNode, list[Any]]:
        """Return what each node replies to its commands. An error is a reply too: that of a lost node to each."""
        replies: dict[ClusterNode, list[Any]] = {}
        with ExitStack() as borrowed:
            connections = {}
            for node, commands in asked.items():
                try:
                    self._refuse_left_alone(node)
                    connection = borrowed.enter_context(_connection(self.get_redis_connection(node)))
                    connection.send_packed_command(connection.pack_commands(commands))
                    connections[node] = connection
                except LOST as error:
                    replies[node] = self._lost(node, error, len(commands))
            for node, connection in connections.items():
                try:
                    # All work at once: who hangs as well has had its time when the first is given up.
                    if any(isinstance(error, redis.TimeoutError) for error, *_ in replies.values()):
                        _demand_answer(connection)
                    replies[node] = [_reply(connection) for _ in asked[node]]
                except LOST as error:
                    connection.disconnect()
                    replies[node] = self._lost(node, error, len(asked[node]))
        return replies

    def _followed(self, command: Command, reply: Any) -> Any:
        """Return the reply, after going where it says the key's slot has moved, or is moving, to."""
        for _ in range(MOST_REDIRECTIONS):
            if not isinstance(reply, AskError):
                break
            if isinstance(reply, MovedError):
                self.nodes_manager.move_slot(reply)
                asked = [command]
            else:
                asked = [("ASKING",), command]
            name = get_node_name(reply.host, reply.port)
            # A node that takes over its first slot is on no map yet.
            stranger = ClusterNode(reply.host, reply.port, PRIMARY)  # type: ignore[no-untyped-call]
            node = self.nodes_manager.nodes_cache.setdefault(name, stranger)
            reply = self._exchange({node: asked})[node][-1]
        return reply

    def _refuse_left_alone(self, node: ClusterNode) -> None:
        if self._left_alone_until and time.monotonic() < self._left_alone_until.get(node.name, 0.0):
            raise LeftAlone(f"{node.name} is being left alone after a failure")

    def _lost(self, node: ClusterNode, error: redis.RedisError, count: int) -> list[Any]:
        """Return the error as reply to each of `count` commands; see to it that the next ones fare better."""
        if not isinstance(error, LeftAlone):
            self._left_alone_until[node.name] = time.monotonic() + LEFT_ALONE_SECONDS
            threading.Thread(target=self._read_map, args=(node,), name="redis-slots", daemon=True).start()
        return [error] * count

    def _read_map(self, lost: ClusterNode) -> None:
        try:
            with _as_redis_error():
                self.nodes_manager.initialize(last_failed_node_name=lost.name)
        except redis.RedisError as error:
            logger.info("the map of the slots cannot be read: %s", error)


class LeftAlone(redis.ConnectionError):
    """A node is not asked, because it was lost a moment ago."""


def _key(command: Command) -> Any:
    """Return the key by which a command is sent to its node."""
    name = command[0]
    if name == "EVAL":
        return command[3]
    if name == "XREADGROUP":
        return command[command.index(b"STREAMS") + 1]
    return command[1]


@contextmanager
def _as_redis_error() -> Iterator[None]:
    # redis-py's own error of a cluster is none of these, and who asks Redis catches these.
    try:
        yield
    except RedisClusterException as error:
        raise redis.ConnectionError(str(error)) from error


@contextmanager
def _connection(client: redis.Redis) -> Iterator[Any]:
    """Borrow a connection of a node's; nobody gets it again with replies that were not read."""
    connection: Any = client.connection_pool.get_connection()
    try:
        yield connection
    except BaseException:
        connection.disconnect()
        raise
    finally:
        client.connection_pool.release(connection)


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error


def _demand_answer(connection: Any) -> None:
    if not connection.can_read():
        raise redis.TimeoutError("it has not answered while another was waited for")
