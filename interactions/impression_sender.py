"""Sends on what requests note, from a thread of its own: an answer never waits for it, and many go together.

What waits here is lost when the process is killed, COLLECT_SECONDS' worth at most; a process that ends in order sends
it first.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import close_old_connections

logger = logging.getLogger(__name__)

COLLECT_SECONDS = 0.02
"""How long the first one waits for others."""
MOST_WAITING = 20_000
"""Beyond these, notes are refused: whatever they are sent to has been away for a while."""
TOGETHER = 500
"""Notes sent at once at most."""

T = TypeVar("T")


class Sender(Generic[T]):
    """One a process. Its thread starts with the first note, and anew in a forked child.

    Parameters
    ----------
    send
        Called with the notes, in order, from the thread or from `flush`, never from two at once. It must not raise for
        a failing service.
    most
        Notes that may wait; beyond them `put` refuses.
    name
        Of the thread.
    """

    def __init__(
        self, send: Callable[[Sequence[T]], None], *, most: int = MOST_WAITING, name: str = "impressions"
    ) -> None:
        self._send = send
        self._most = most
        self._name = name
        self._start_over()
        os.register_at_fork(after_in_child=self._start_over)
        atexit.register(self.flush)

    def put(self, note: T) -> bool:
        """Take a note; False when too many wait already."""
        if len(self._waiting) >= self._most:
            return False
        self._waiting.append(note)
        if not self._started:
            self._start()
        self._something.set()
        return True

    def flush(self) -> None:
        """Send what waits now, in this thread."""
        with self._sending:
            while self._waiting:
                count = min(len(self._waiting), TOGETHER)
                notes = [self._waiting.popleft() for _ in range(count)]
                try:
                    self._send(notes)
                # The thread must outlive what one batch met; nobody else would ever hear of it.
                except Exception:
                    logger.exception("%d notes could not be sent", count)

    def _start_over(self) -> None:
        self._waiting: deque[T] = deque()
        self._something = threading.Event()
        self._sending = threading.Lock()
        self._starting = threading.Lock()
        self._started = False

    def _start(self) -> None:
        with self._starting:
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._something.wait()
            time.sleep(COLLECT_SECONDS)
            self._something.clear()
            self.flush()
            close_old_connections()
