"""The one Redis client of a process: cache and feature store, never the truth.

No request waits longer than `REDIS_TIMEOUT_SECONDS` (0.2 s): redis-py's default retries would turn that into
seven seconds, so there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry
from redis.sentinel import Sentinel

from catalog.redis_address import cluster_nodes, sentinels
from catalog.redis_cluster import Cluster

Command = Sequence[str | bytes | int]


@cache
def client() -> redis.Redis:
    """Return the process-wide client (thread-safe, with its own pool); a `Cluster` where REDIS_URL names one.

    Raises
    ------
    redis.RedisError
        No node of a cluster answers. A server is not asked yet.
    """
    options: dict[str, Any] = {
        "socket_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    nodes = cluster_nodes(settings.REDIS_URL)
    if nodes is not None:
        known: Any = [ClusterNode(host, port) for host, port in nodes.hosts]  # type: ignore[no-untyped-call]
        cluster: Any = Cluster(startup_nodes=known, username=nodes.username, password=nodes.password, **options)
        return cluster  # type: ignore[no-any-return] # what is asked of it here is the same
    named = sentinels(settings.REDIS_URL)
    if named is None:
        return redis.Redis.from_url(settings.REDIS_URL, **options)
    # Who is master is asked at each new connection; one that was demoted refuses to write, and is left then.
    watch: Any = Sentinel(named.hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
    found: redis.Redis = watch.master_for(
        named.master, db=named.database, username=named.username, password=named.password, **options
    )
    return found


def round_trip(connected: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    """Return the replies to commands that are sent together, as Redis gives them; in a cluster together to each node.

    For what every request asks: redis-py's own pipeline takes twice the processor time, and on a cluster asks again
    after a time-out.

    Raises
    ------
    redis.RedisError
        Redis is away, or one of the commands is refused.
    """
    found: Any = connected
    if isinstance(found, Cluster):
        return found.round_trip(commands)
    pool = connected.connection_pool
    # redis-py types the connection's own methods only in part.
    connection: Any = pool.get_connection()
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        return [connection.read_response() for _ in commands]
    except BaseException:
        # Replies that were not read must not be taken for those of the next one.
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def servers(connected: redis.Redis) -> list[redis.Redis]:
    """Return a client of each server that holds keys of its own: of a cluster, its primaries.

    Raises
    ------
    redis.RedisError
        Nobody can say which they are.
    """
    found: Any = connected
    return found.servers() if isinstance(found, Cluster) else [connected]


def ping(connected: redis.Redis) -> None:
    """Ask every server whether it is there.

    Raises
    ------
    redis.RedisError
        One is not.
    """
    for server in servers(connected):
        server.ping()


def key(*parts: object) -> str:
    """Return a key of this project: its prefix and `parts`, joined by colons."""
    return ":".join((settings.REDIS_KEY_PREFIX, *map(str, parts)))
