"""Events go to Postgres at once and count on the next request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interactions.contracts import EventInput, Verdict
from interactions.event_log.base import EventLog
from interactions.recording import record


class PostgresEventLog(EventLog):
    """No options."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        if options:
            message = f"PostgresEventLog has no options, got {sorted(options)}."
            raise TypeError(message)

    def append(self, events: Sequence[EventInput]) -> list[Verdict]:
        """See `EventLog.append`; returns after COMMIT, with the verdict of every event."""
        return record(events)

    def reach(self) -> str:
        """See `EventLog.reach`."""
        return "in Postgres, at once"
