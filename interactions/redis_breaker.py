"""Ask Redis without ever waiting for a dead one twice.

Each attempt may take up to the client's time-out (0.2 s). After five failures in a row Redis is left alone for five
seconds, so that a Redis that hangs costs one request in a while, not 0.2 s each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import redis

from catalog.redis_store import client

logger = logging.getLogger(__name__)

FAILURES = 5
PAUSE_SECONDS = 5.0

Reply = TypeVar("Reply")


class RedisAway(Exception):
    """Redis did not answer, or is not asked for a while because it did not answer before."""


class CircuitBreaker:
    """Counts failures in a row; open means "do not ask". Safe to share between threads."""

    def __init__(self, what: str = "Redis") -> None:
        """Take what is asked, for the log."""
        self._what = what
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    def allows(self) -> bool:
        """Return whether to ask now. After a pause a single caller is let through to try."""
        if self._failures < FAILURES:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._closed_again_at:
                return False
            self._closed_again_at = now + PAUSE_SECONDS
            return True

    def succeeded(self) -> None:
        """Note an answer."""
        self._failures = 0

    def failed(self) -> None:
        """Note a failure."""
        with self._lock:
            self._failures += 1
            if self._failures == FAILURES:
                self._closed_again_at = time.monotonic() + PAUSE_SECONDS
                logger.warning("%s failed %d times in a row: left alone for %g s", self._what, FAILURES, PAUSE_SECONDS)


breaker = CircuitBreaker()


def ask(call: Callable[[redis.Redis], Reply]) -> Reply:
    """Return `call(client)`.

    Raises
    ------
    RedisAway
        When Redis failed or is being left alone.
    """
    if not breaker.allows():
        raise RedisAway("Redis is being left alone after repeated failures")
    try:
        reply = call(client())
    except redis.RedisError as error:
        breaker.failed()
        logger.info("Redis failed: %s", error)
        raise RedisAway(str(error)) from error
    breaker.succeeded()
    return reply
