"""Something that takes seconds, made again in a thread while requests go on, and handed over when it is asked for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import Error as DatabaseError
from django.db import connection

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Renewal(Generic[T]):
    """One a process, for one caller at a time.

    Parameters
    ----------
    make
        Called in a thread with a database connection of its own; None: there is nothing to hand over.
    seconds
        From one beginning to the next, at least.
    """

    def __init__(self, make: Callable[[], T | None], seconds: float) -> None:
        self._make, self._seconds = make, seconds
        self._began = -float("inf")
        self._made: T | None = None

    def begin(self) -> threading.Thread | None:
        """Start making, in a daemon thread; None when the last one began a short time ago."""
        now = time.monotonic()
        if now - self._began < self._seconds:
            return None
        self._began = now
        thread = threading.Thread(target=self._run, name="renewal", daemon=True)
        thread.start()
        return thread

    def taken(self) -> T | None:
        """Return what has been made since this was asked last, None when nothing has."""
        made, self._made = self._made, None
        return made

    def _run(self) -> None:
        try:
            self._made = self._make()
        except DatabaseError as error:
            logger.warning("not renewed: %s", error)
        finally:
            connection.close()
