"""The one Redis client of a process: cache and feature store, never the truth.

No request waits longer than `REDIS_TIMEOUT_SECONDS` (0.2 s): redis-py's default retries would turn that into
seven seconds, so there are none.
"""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client() -> redis.Redis:
    """Return the process-wide client (thread-safe, with its own pool)."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def key(*parts: object) -> str:
    """Return a key of this project: its prefix and `parts`, joined by colons."""
    return ":".join((settings.REDIS_KEY_PREFIX, *map(str, parts)))
