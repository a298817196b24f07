"""Reads of users and their events for the other apps and for pages. Requests that must be quick use `features`."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from interactions import partitions
from interactions.models import DeadLetter

TIMES_DRAWN = 5
"""Keys drawn for each user wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """A user worth signing in as."""

    user_id: str
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """How much there is."""

    events: int
    users: int
    dead_letters: int
    """Waiting: not replayed yet."""


def demo_users(limit: int = 12) -> list[DemoUser]:
    """Return the users with the most events, most first (counts every event: for the demo site only)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT u.user_id, top.events FROM (
                SELECT user_id, count(*) AS events FROM interactions_event
                GROUP BY user_id ORDER BY events DESC, user_id LIMIT %s
            ) top JOIN interactions_userprofile u ON u.id = top.user_id
            WHERE u.consent = 'granted' ORDER BY top.events DESC, top.user_id
            """,
            [limit],
        )
        return [DemoUser(user_id=user_id, events=events) for user_id, events in cursor.fetchall()]


def event_counts() -> EventCounts:
    """Count events, users and waiting dead letters exactly (reads whole indexes: for commands)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM interactions_event), count(*) FROM interactions_userprofile")
        events, users = cursor.fetchone()
    waiting = DeadLetter.objects.filter(replayed_at=None).count()
    return EventCounts(events=events, users=users, dead_letters=waiting)


def has_events() -> bool:
    """Tell whether there is any event."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM interactions_event)")
        return bool(cursor.fetchone()[0])


def events_by_type() -> dict[str, int]:
    """Count events by the name of their type, in alphabetical order; types without events are 0."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.name, coalesce(counted.events, 0) FROM interactions_eventtype t
            LEFT JOIN (SELECT event_type_id, count(*) AS events FROM interactions_event GROUP BY 1) counted
                ON counted.event_type_id = t.id
            ORDER BY t.name
            """
        )
        return dict(cursor.fetchall())


def newest_event_at() -> datetime | None:
    """Return when the newest event happened, None without events (reads the newest partition only)."""
    start = partitions.newest_start("interactions_event")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(occurred_at) FROM interactions_event "
            "WHERE occurred_at >= coalesce(%s::timestamptz, '-infinity')",
            [start],
        )
        moment: datetime | None = cursor.fetchone()[0]
        return moment


def sample_of_users(n: int, seed: int) -> list[str]:
    """Return the ids of about `n` users who have done something, drawn at random; the same seed draws the same ones.

    Fewer where most keys are gone or most users have done nothing; the work does not grow with the users.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM interactions_userprofile")
        least, most = cursor.fetchone()
        if least is None:
            return []
        chance = random.Random(seed)
        drawn = chance.sample(range(least, most + 1), min(TIMES_DRAWN * n, most - least + 1))
        cursor.execute(
            """
            SELECT user_id FROM unnest(%s::bigint[]) WITH ORDINALITY AS drawn (pk, place)
            JOIN interactions_userprofile AS profile ON profile.id = drawn.pk AND profile.consent = 'granted'
            WHERE EXISTS (SELECT FROM interactions_event AS event WHERE event.user_id = drawn.pk)
            ORDER BY drawn.place LIMIT %s
            """,
            [drawn, n],
        )
        return [user_id for (user_id,) in cursor.fetchall()]


MOST_TAKEN = 100
"""Events looked at of one list."""


def taken_from(shown: Mapping[UUID, datetime]) -> dict[UUID, set[int]]:
    """Return what people took of lists: request id → primary keys of the items of the events that name it.

    Events of a positive weight count, from an hour before the list was shown (clocks differ) to a day after; lists of
    which nothing was taken are left out. One look at an index a list, whatever the number of events.
    """
    if not shown:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT asked.request_id, array_agg(DISTINCT taken.item_id)
            FROM unnest(%s::uuid[], %s::timestamptz[]) AS asked (request_id, shown_at)
            CROSS JOIN LATERAL (
                SELECT event.item_id, event.event_type_id FROM interactions_event event
                WHERE event.request_id = asked.request_id
                    AND event.occurred_at >= asked.shown_at - interval '1 hour'
                    AND event.occurred_at < asked.shown_at + interval '1 day'
                LIMIT %s
            ) taken
            JOIN interactions_eventtype kind ON kind.id = taken.event_type_id AND kind.weight > 0
            GROUP BY asked.request_id
            """,
            [list(shown), list(shown.values()), MOST_TAKEN],
        )
        return {request_id: set(items) for request_id, items in cursor.fetchall()}
