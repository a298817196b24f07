"""What was refused and may still come right: kept with the reason, and replayed.

`keep` is also the importers' way to note a broken row. A payload is JSON in ASCII, so that any text column takes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from interactions.contracts import EventInput
from interactions.models import DeadLetter

ITEM_UNKNOWN = "item_unknown"


def keep_orphans(events: Sequence[EventInput], now: datetime, source: str) -> None:
    """Keep events whose item is unknown, with the moment they were recorded when they had none of their own."""
    DeadLetter.objects.bulk_create(
        DeadLetter(
            code=ITEM_UNKNOWN,
            message=f"There is no item {event.item_id!r}."[:500],
            item_id=event.item_id,
            payload=to_payload(event, now),
            source=source,
        )
        for event in events
    )


def keep(code: str, message: str, payload: str, *, source: str, item_id: str = "") -> None:
    """Keep one refused thing; `payload` is stored ASCII-escaped."""
    text = payload.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
    DeadLetter.objects.create(
        code=code, message=message[:500].replace("\0", "\\0"), item_id=item_id, payload=text, source=source
    )


def to_payload(event: EventInput, now: datetime) -> str:
    """Return the event as the API takes it, as ASCII JSON."""
    fields: dict[str, Any] = {
        "event_id": str(event.event_id) if event.event_id else None,
        "user_id": event.user_id,
        "item_id": event.item_id,
        "event_type": event.event_type,
        "timestamp": (event.occurred_at or now).isoformat(),
        "value": event.value,
        "context": event.context,
        "request_id": str(event.request_id) if event.request_id else None,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def from_payload(payload: str) -> EventInput:
    """Return the event of a payload that `to_payload` wrote.

    Raises
    ------
    ValueError
        For any other text.
    """
    fields = json.loads(payload)
    if not isinstance(fields, Mapping):
        raise ValueError("a dead letter's payload must be a JSON object")
    try:
        return EventInput(
            user_id=fields["user_id"],
            item_id=fields["item_id"],
            event_type=fields["event_type"],
            occurred_at=datetime.fromisoformat(fields["timestamp"]),
            event_id=_uuid(fields.get("event_id")),
            value=fields.get("value"),
            context=fields.get("context"),
            request_id=_uuid(fields.get("request_id")),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the payload lacks {error}") from error


def waiting() -> dict[str, int]:
    """Return how many have not been replayed, by code."""
    counted = DeadLetter.objects.filter(replayed_at=None).values_list("code").annotate(letters=Count("pk"))
    return dict(counted.order_by("code"))


def of_user(user_id: str) -> Iterable[DeadLetter]:
    """Yield the dead letters about a user; those that cannot be read but hold his id as a word count as his."""
    quoted = json.dumps(user_id)
    for letter in DeadLetter.objects.filter(payload__contains=quoted).iterator():
        try:
            fields = json.loads(letter.payload)
        except ValueError:
            yield letter
            continue
        if not isinstance(fields, Mapping) or fields.get("user_id") == user_id:
            yield letter


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
