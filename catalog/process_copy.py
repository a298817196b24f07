"""A process's copy of something in Postgres: read once, and again when its revision has moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from catalog.postgres.reading import from_primary

T = TypeVar("T")


class ProcessCopy(Generic[T]):
    """Holds what `load` returned for one revision of `catalog.revisions`. Threads share it.

    While the revision stands still nobody waits and nothing is read. When it moves one thread reads, and the others
    that ask for the new revision wait for it; those that still ask for the old one do not. An older revision than the
    held one is read as well: a database that was restored has gone back.

    Parameters
    ----------
    load
        Reads all of it from the database, given the revision it is read for and the copy held so far (None: none), of
        which it may use what has not changed; nobody may change what it returns.
        What it raises (the database is away) reaches the caller of `at`: the earlier copy stays and still answers for
        its own revision, and the next caller tries again.
    """

    def __init__(self, load: Callable[[int, T | None], T]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._held: tuple[int, T] | None = None

    def at(self, revision: int) -> T:
        """Return the copy, read anew when it is not of `revision`."""
        # One attribute for both: a thread without the lock must not meet the new revision with the old copy.
        held = self._held
        if held is not None and held[0] == revision:
            return held[1]
        with self._lock:
            held = self._held
            if held is None or held[0] != revision:
                # A replica may not have the revision yet.
                with from_primary():
                    held = self._held = (revision, self._load(revision, held[1] if held else None))
            return held[1]
