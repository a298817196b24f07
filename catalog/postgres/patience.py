"""How long this thread waits for Postgres."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class _Deadline(threading.local):
    at: float | None = None
    """Monotonic seconds."""


_deadline = _Deadline()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Wait for Postgres no longer than this all together, on connections that have a patience at all."""
    earlier = _deadline.at
    at = time.monotonic() + seconds
    _deadline.at = at if earlier is None else min(at, earlier)
    try:
        yield
    finally:
        _deadline.at = earlier


def is_in_a_hurry() -> bool:
    """Return whether this thread waits `within` a limit of its own."""
    return _deadline.at is not None


def left(patience_seconds: float) -> float:
    """Return for how many seconds an answer is waited for now; `patience_seconds` where nobody is in a hurry."""
    if _deadline.at is None:
        return patience_seconds
    return max(0.0, min(patience_seconds, _deadline.at - time.monotonic()))
