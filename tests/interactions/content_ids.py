"""The id that an event without one must get, from the event itself."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from interactions.identity import content_digest, microseconds_since_epoch


def derive_event_id(user_id: str, item_id: str, event_type: str, occurred_at: datetime, value: float | None) -> UUID:
    """Return it; `occurred_at` must be aware."""
    return UUID(content_digest(user_id, item_id, event_type, microseconds_since_epoch(occurred_at), value))
