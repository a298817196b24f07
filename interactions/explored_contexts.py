"""What came of exploration's showings, by what was known of the person and the moment: what a contextual bandit learns.

A context is made of what an impression tells later as exactly as the request. It is numbered by its bits (`number`),
and stands for a vector of `FEATURES` (`vector`). Counted and announced with `explored`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from interactions.announced import Announced

FEATURES = ("always 1", "an item of the person's country", "from 17 to 24 h UTC", "Saturday or Sunday")
EVENING, SATURDAY = 17, 6

Counts = Mapping[int, Sequence[tuple[int, int, int]]]
"""Item primary key → (number of the context, times shown in it, times taken)."""

_SQL = """
    SELECT item_id, own + evening + weekend, count(*), count(*) FILTER (WHERE taken)
    FROM (
        SELECT shown.item_id,
               CASE WHEN profile.country = ANY(item.countries) THEN 1 ELSE 0 END AS own,
               CASE WHEN extract(hour FROM shown_at AT TIME ZONE 'UTC') >= %(evening)s THEN 2 ELSE 0 END AS evening,
               CASE WHEN extract(isodow FROM shown_at AT TIME ZONE 'UTC') >= %(saturday)s THEN 4 ELSE 0 END AS weekend,
               EXISTS (
                   SELECT FROM interactions_event event
                   JOIN interactions_eventtype kind ON kind.id = event.event_type_id AND kind.weight > 0
                   WHERE event.request_id = shown.request_id AND event.item_id = shown.item_id
                     AND event.occurred_at >= %(since)s AND event.occurred_at <= %(moment)s
               ) AS taken
        FROM interactions_impression shown
        JOIN catalog_item item ON item.id = shown.item_id
        LEFT JOIN interactions_userprofile profile ON profile.user_id = shown.user_id
        WHERE shown.source = %(source)s AND shown.shown_at >= %(since)s AND shown.shown_at <= %(moment)s
    ) showings
    GROUP BY 1, 2 ORDER BY 1, 2
"""

_announced: Announced[dict[int, list[tuple[int, int, int]]]] = Announced(
    "explored_contexts", dict[int, list[tuple[int, int, int]]], {}
)


def number(*, own_country: bool, at: float) -> int:
    """Return the number of a context, 0..7; `at` is in POSIX seconds."""
    moment = datetime.fromtimestamp(at, UTC)
    return own_country + 2 * (moment.hour >= EVENING) + 4 * (moment.isoweekday() >= SATURDAY)


def vector(context: int) -> list[float]:
    """Return the values of FEATURES."""
    return [1.0, float(context & 1), float(context >> 1 & 1), float(context >> 2)]


def refresh(moment: datetime, window: timedelta, source: str) -> None:
    """Count the window before `moment` anew, and tell every process."""
    asked: dict[str, Any] = {"source": source, "since": moment - window, "moment": moment}
    asked |= {"evening": EVENING, "saturday": SATURDAY}
    counts: dict[int, list[tuple[int, int, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SQL, asked)
        for item, context, shown, taken in cursor.fetchall():
            counts.setdefault(int(item), []).append((int(context), int(shown), int(taken)))
    _announced.announce(counts)


def current() -> Counts:
    """Return what this process holds."""
    return _announced.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()
