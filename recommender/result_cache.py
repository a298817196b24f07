"""Lists made a moment ago, kept by everything they depend on: an answer from here is the one that would be made anew.

A list is found by its user's stamp (`UserFeatures.stamp`, which his next event changes) and by what was asked for, and
counts only while every part of the serving state that made it is still the very same object, until the moment at which
the passing of time itself may change it. When a part of that state is replaced all lists go at once: the models and
catalogues that they were made from would stay in memory with them. Who asks for a list that is being made waits for it
instead of making it too.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from prometheus_client import Counter

ASKED = Counter("recommender_result_cache", "Lists asked of the result cache.", ["outcome"])
_FOUND, _MADE = ASKED.labels("found"), ASKED.labels("made")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    rules: object
    until: float
    value: T


class ResultCache(Generic[T]):
    """One a process, shared by its threads; the entries used least lately make room.

    Parameters
    ----------
    most
        Entries; 0 keeps none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._state: tuple[object, ...] = ()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get_or_make(
        self,
        key: Hashable,
        state: tuple[object, ...],
        rules: object,
        now: float,
        make: Callable[[], tuple[T, float]],
    ) -> T:
        """Return the value kept for `key`, or what `make` returns: a value, and the POSIX time until which it counts.

        Parameters
        ----------
        state
            Everything that all values are made from, compared by identity; another one empties the cache.
        rules
            What this value is made from besides, compared by identity.
        now
            POSIX seconds. A value that counts until `now` or earlier is for this one request.
        """
        if not self._most:
            return make()[0]
        found = self._find(key, state, rules, now)
        if found is not None:
            return found.value
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            found = self._find(key, state, rules, now)
            if found is not None:
                return found.value
            try:
                _MADE.inc()
                value, until = make()
                if now < until:
                    self._keep(key, state, _Entry(rules, until, value))
                return value
            finally:
                with self._lock:
                    self._making.pop(key, None)

    def _find(self, key: Hashable, state: tuple[object, ...], rules: object, now: float) -> _Entry[T] | None:
        with self._lock:
            if not _same(state, self._state):
                self._state = state
                self._entries.clear()
                return None
            entry = self._entries.get(key)
            if entry is None or entry.rules is not rules or now >= entry.until:
                return None
            self._entries.move_to_end(key)
        _FOUND.inc()
        return entry

    def _keep(self, key: Hashable, state: tuple[object, ...], entry: _Entry[T]) -> None:
        with self._lock:
            # Made of what has been replaced meanwhile, it is nobody's any more.
            if not _same(state, self._state):
                return
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(mine is theirs for mine, theirs in zip(one, other, strict=True))
