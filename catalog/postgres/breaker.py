"""Leaves a Postgres alone that does not answer, so that it costs a few requests some time and not each of them.

Each database has two breakers. Who is in a hurry (`patience.within`) is soon kept waiting, by a busy machine as well:
that keeps away others in a hurry, who have something to go on with, and nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from catalog.postgres import patience

logger = logging.getLogger(__name__)

FAILURES = 3
PAUSE_SECONDS = 0.5


class Breaker:
    """Counts in a row the times that no answer came; open means "do not ask". Threads share it.

    While it is open a thread of its own asks, so that no request has to find out that Postgres is back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self.is_open = False

    def answered(self) -> None:
        """Note an answer."""
        self._failures = 0

    def kept_waiting(self, ask: Callable[[], object]) -> None:
        """Note that none came. `ask` raises as long as Postgres does not answer; it is called from another thread."""
        with self._lock:
            self._failures += 1
            if self.is_open or self._failures < FAILURES:
                return
            self.is_open = True
        logger.warning("Postgres kept %d in a row waiting: left alone until it answers", FAILURES)
        threading.Thread(target=self._wait_for, args=[ask], name="Postgres is away", daemon=True).start()

    def _wait_for(self, ask: Callable[[], object]) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            try:
                ask()
            # Whatever it is, there is nobody to tell it to; the next try is due.
            except Exception as error:  # noqa: BLE001
                logger.debug("Postgres is still away: %s", error)
                continue
            self._failures = 0
            self.is_open = False
            logger.warning("Postgres answers again")
            return


_breakers: defaultdict[tuple[str, bool], Breaker] = defaultdict(Breaker)
"""This process's, by the database's alias and whether they are for those in a hurry."""


def breaker(alias: str) -> Breaker:
    """Return the breaker of a database that counts for this thread now."""
    return _breakers[alias, patience.is_in_a_hurry()]


def is_left_alone(alias: str) -> bool:
    """Return whether this thread is not to ask a database now."""
    return _breakers[alias, False].is_open or (patience.is_in_a_hurry() and _breakers[alias, True].is_open)
