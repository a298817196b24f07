"""The lists that a user was shown lately, as they were noted, and what he took from each: what replays are made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

ANSWERED_WITHIN = timedelta(days=1)
"""An event that comes later, by its own clock or earlier by as much, is not looked for."""


class LoggedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a list."""

    item_pk: int
    position: int
    """0 is first."""
    propensity: float
    """Probability with which it was shown there; 0 where it is not known."""
    taken: bool
    """Whether the list led to an event with this item, of the kind asked for."""


class LoggedList(msgspec.Struct, frozen=True, kw_only=True):
    """One list as it was shown."""

    request_id: UUID
    placement: str
    shown_at: datetime
    device: str
    """"" where it is not known."""
    items: tuple[LoggedItem, ...]


_SQL = """
    SELECT list.request_id, list.placement, list.shown_at, item.device, item.item_id, item.position, item.propensity,
        EXISTS (
        SELECT FROM interactions_event event JOIN interactions_eventtype kind ON kind.id = event.event_type_id
        WHERE event.user_id = (SELECT id FROM interactions_userprofile WHERE user_id = %(user_id)s)
            AND event.occurred_at BETWEEN list.shown_at - %(within)s AND list.shown_at + %(within)s
            AND event.request_id = list.request_id AND event.item_id = item.item_id
            AND CASE WHEN %(event_type)s = '' THEN kind.weight > 0 ELSE kind.name = %(event_type)s END
    )
    FROM (
        SELECT request_id, placement, shown_at FROM interactions_impression
        WHERE user_id = %(user_id)s AND shown_at >= %(since)s AND position = 0 AND placement = ANY(%(placements)s)
        ORDER BY shown_at DESC LIMIT %(n)s
    ) list
    JOIN interactions_impression item
        ON item.user_id = %(user_id)s AND item.shown_at = list.shown_at AND item.request_id = list.request_id
    ORDER BY list.shown_at DESC, list.request_id, item.position
"""


def lists_of(
    user_id: str, n: int, *, since: datetime, placements: Sequence[str], event_type: str = ""
) -> list[LoggedList]:
    """Return the user's `n` newest lists of some placements, newest first (one query, by the user's index).

    Parameters
    ----------
    event_type
        Of the events that count as taking an item; "": every type of a positive weight.
    """
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"user_id": user_id, "n": n, "since": since, "placements": list(placements)}
        cursor.execute(_SQL, asked | {"within": ANSWERED_WITHIN, "event_type": event_type})
        rows = cursor.fetchall()
    found: dict[tuple[UUID, str, datetime, str], list[LoggedItem]] = {}
    for request_id, placement, shown_at, device, item_pk, position, propensity, taken in rows:
        item = LoggedItem(item_pk=item_pk, position=position, propensity=propensity, taken=taken)
        found.setdefault((request_id, placement, shown_at, device), []).append(item)
    return [
        LoggedList(request_id=request_id, placement=placement, shown_at=shown_at, device=device, items=tuple(items))
        for (request_id, placement, shown_at, device), items in found.items()
    ]
