"""The contract of an event log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.checks import CheckMessage

from catalog.api.errors import ApiError
from interactions.contracts import EventInput, Verdict


class EventLogAway(ApiError):
    """The log did not confirm all events within its time; sending them again is safe."""

    def __init__(self, reason: str) -> None:
        super().__init__("unavailable", f"The log of events cannot be reached ({reason}); please retry.", status=503)


class EventLog(ABC):
    """Keeps events; one a process, used by many threads."""

    @abstractmethod
    def __init__(self, options: Mapping[str, Any]) -> None:
        """Take OPTIONS; raise TypeError or ValueError for those that cannot be used. Nothing is connected yet."""

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> list[CheckMessage]:
        """Return what is wrong with the installation: a missing library, an impossible option."""
        return []

    @abstractmethod
    def append(self, events: Sequence[EventInput]) -> list[Verdict]:
        """Keep the events; return one verdict each, in their order, once none of them can be lost any more.

        Raises
        ------
        EventLogAway, django.db.Error
            Some may not be kept. Sending all of them again is safe: an event is known by its id or its content.
        """

    @abstractmethod
    def reach(self) -> str:
        """Ask the log whether it answers and say where events are kept; raise EventLogAway with what to do."""
