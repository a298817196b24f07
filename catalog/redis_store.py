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
from redis.retry import Retry
from redis.sentinel import Sentinel

from catalog.redis_address import sentinels


@cache
def client() -> redis.Redis:
    """Return the process-wide client (thread-safe, with its own pool)."""
    options: dict[str, Any] = {
        "socket_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": settings.REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    named = sentinels(settings.REDIS_URL)
    if named is None:
        return redis.Redis.from_url(settings.REDIS_URL, **options)
    # Who is master is asked at each new connection; one that was demoted refuses to write, and is left then.
    watch: Any = Sentinel(named.hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
    found: redis.Redis = watch.master_for(
        named.master, db=named.database, username=named.username, password=named.password, **options
    )
    return found


def round_trip(connected: redis.Redis, commands: Sequence[Sequence[str | int]]) -> list[Any]:
    """Return the replies to commands that are sent together, as Redis gives them.

    For what every request asks: redis-py's own pipeline takes twice the processor time.

    Raises
    ------
    redis.RedisError
        Redis is away, or one of the commands is refused.
    """
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


def key(*parts: object) -> str:
    """Return a key of this project: its prefix and `parts`, joined by colons."""
    return ":".join((settings.REDIS_KEY_PREFIX, *map(str, parts)))
