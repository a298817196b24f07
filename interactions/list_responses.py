"""How often lists were shown to each user, and how many of them he took something from, summed up in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

CLOCK_TOLERANCE = timedelta(days=1)
"""How far a client's clock may be behind ours, and how long after a list it may still be acted upon."""
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Some time of some weekdays, of a place's own time."""

    opens: int
    """Minute of the day."""
    closes: int
    """Minute of the day; before `opens`, or the same, it is on the next day."""
    weekdays: tuple[int, ...]
    """1 is Monday, of the day on which it opens; () is every day."""
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """One user's."""

    user_id: str
    lists: int
    taken_from: int
    """Lists that led to an event of a type with a positive weight."""


# The first item stands for its list: every list has one at position 0. A list's id on an event proves that the list
# came first, so no clocks are compared.
_SQL = """
    WITH shown AS (
        SELECT impression.user_id, impression.request_id FROM interactions_impression impression {of_country}
        WHERE shown_at >= %(since)s AND shown_at < %(until)s AND position = 0 {of_placement} {of_hours}
    ), taken AS (
        SELECT DISTINCT profile.user_id, event.request_id FROM interactions_event event
        JOIN interactions_eventtype kind ON kind.id = event.event_type_id AND kind.weight > 0
        JOIN interactions_userprofile profile ON profile.id = event.user_id
        WHERE event.request_id IS NOT NULL
            AND event.occurred_at >= %(since)s - %(tolerance)s AND event.occurred_at < %(until)s + %(tolerance)s
    )
    SELECT shown.user_id, count(*), count(taken.request_id)
    FROM shown LEFT JOIN taken ON taken.request_id = shown.request_id AND taken.user_id = shown.user_id
    GROUP BY shown.user_id
"""
_OF_COUNTRY = """
    JOIN interactions_userprofile viewer ON viewer.user_id = impression.user_id AND viewer.country = ANY(%(countries)s)
"""
_OF_PLACEMENT = "AND placement = ANY(%(placements)s)"
_LOCAL = "(shown_at AT TIME ZONE %(time_zone)s)"
_MINUTE = f"extract(hour FROM {_LOCAL}) * 60 + extract(minute FROM {_LOCAL})"
_DAYS_AGO = f"CASE WHEN %(overnight)s AND {_MINUTE} < %(closes)s THEN 1 ELSE 0 END"
_OPENED = f"extract(isodow FROM {_LOCAL}::date - {_DAYS_AGO})"
_OF_HOURS = f"""
    AND CASE WHEN %(overnight)s THEN {_MINUTE} >= %(opens)s OR {_MINUTE} < %(closes)s
             ELSE {_MINUTE} >= %(opens)s AND {_MINUTE} < %(closes)s END
    AND (cardinality(%(weekdays)s::int[]) = 0 OR {_OPENED} = ANY(%(weekdays)s::int[]))
"""


def responses(
    since: datetime,
    until: datetime,
    *,
    placements: Sequence[str] = (),
    countries: Sequence[str] = (),
    hours: Hours | None = None,
) -> Iterator[Responses]:
    """Yield every user who was shown a list in that time, in no order: one query, of that time's partitions only.

    Parameters
    ----------
    placements
        Names; () is all.
    countries
        Two letters, of the users as they are known now; () is all.
    """
    sql = _SQL.format(
        of_country=_OF_COUNTRY if countries else "",
        of_placement=_OF_PLACEMENT if placements else "",
        of_hours=_OF_HOURS if hours else "",
    )
    parameters: dict[str, Any] = {
        "since": since,
        "until": until,
        "tolerance": CLOCK_TOLERANCE,
        "placements": list(placements),
        "countries": list(countries),
    }
    if hours is not None:
        parameters |= {
            "opens": hours.opens,
            "closes": hours.closes,
            "overnight": hours.closes <= hours.opens,
            "weekdays": list(hours.weekdays),
            "time_zone": hours.time_zone,
        }
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Sets are joined with sets; without statistics of a new month the planner would loop over all events.
            cursor.execute("SET LOCAL enable_nestloop = off")
        with connection.chunked_cursor() as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                for user_id, lists, taken_from in rows:
                    yield Responses(user_id=user_id, lists=lists, taken_from=taken_from)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_nestloop = DEFAULT")
