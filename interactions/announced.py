"""A value that beat computes from Postgres and tells every process by way of Redis.

Requests read what their process holds, and fetch it anew from Redis at most every HELD_SECONDS; they never compute it.
What Redis has lost comes back with beat's next turn; until then a process goes on with what it has.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Generic, TypeVar

import msgspec

from catalog.redis_store import key
from interactions.redis_breaker import RedisAway, ask

LIFETIME_SECONDS = 86_400
HELD_SECONDS = 5.0
"""With what beat takes to come round, less than a minute."""

T = TypeVar("T")


class Announced(Generic[T]):
    """One such value.

    Parameters
    ----------
    name
        Of the Redis key.
    empty
        What holds as long as nothing has been announced; its type is what msgspec decodes the value to.
    kind
        That type, with its parameters.
    """

    def __init__(self, name: str, kind: type[T], empty: T) -> None:
        self._name = name
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._empty = empty
        self._lock = threading.Lock()
        self.forget()

    def announce(self, value: T) -> None:
        """Tell every process; this one holds it at once. With Redis away, only this one."""
        packed = msgspec.msgpack.encode(value)
        self._hold(value, packed)
        try:
            ask(lambda connected: connected.set(key(self._name), packed, ex=LIFETIME_SECONDS))
        except RedisAway:
            return

    def current(self) -> T:
        """Return the value this process holds: the same object until another value is announced.

        While one thread fetches it anew, the others go on with the old one.
        """
        if time.monotonic() >= self._fetch_at and self._lock.acquire(blocking=False):
            try:
                self._hold(*self._fetched())
            finally:
                self._lock.release()
        return self._value

    def forget(self) -> None:
        """Hold nothing, as a new process does."""
        self._value, self._packed = self._empty, b""
        self._fetch_at = 0.0

    def _hold(self, value: T, packed: bytes) -> None:
        self._value, self._packed = value, packed
        self._fetch_at = time.monotonic() + HELD_SECONDS

    def _fetched(self) -> tuple[T, bytes]:
        try:
            packed: Any = ask(lambda connected: connected.get(key(self._name)))
        except RedisAway:
            packed = None
        if packed is None or packed == self._packed:
            return self._value, self._packed
        return self._decoder.decode(packed), packed
