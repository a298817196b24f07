"""The statement that stores a batch of events: everybody known and willing, every id new, or it says who and which not.

One statement, because alone it is a transaction: a single event takes one round trip instead of five. Arrays go in as
text, because psycopg takes as long to adapt a thousand UUIDs or times as Postgres takes to store them. The values are
bound by Postgres and not by the client, so that a connection with a `prepare_threshold` in its OPTIONS plans this
statement once: planning it takes longer than storing an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from django.db import IntegrityError, connection

from interactions.contracts import EventInput


class EventRow(msgspec.Struct, gc=False):
    """An event on its way into the table."""

    position: int
    """In its batch."""
    event: EventInput
    item_pk: int
    type_id: int
    microseconds: int
    """Since the epoch: when it happened."""
    digest: str = ""
    """Of its content (`identity.content_digest`)."""
    event_id: str = ""
    """32 hexadecimal digits: the given id or the digest."""


# The users are locked in the order in which all writers lock them; `people` is in the order of their bytes, which is
# Python's order of texts, so that an event names its user by his place. An array that is shorter than the others, or
# empty, stands for NULLs. `stored` sorts what it inserts, so every id is claimed before the first event is stored.
_STORE = """
    WITH people AS MATERIALIZED (
        SELECT array_agg(id ORDER BY user_id COLLATE "C") AS pks FROM (
            SELECT id, user_id FROM interactions_userprofile
            WHERE user_id = ANY(%(users)s::text[]) AND consent = 'granted' ORDER BY user_id FOR KEY SHARE
        ) AS held
    ), new AS MATERIALIZED (
        SELECT given.*, people.pks[given.person] AS user_id
        FROM people, unnest(
            %(event_ids)s::uuid[], %(microseconds)s::bigint[], %(people)s::int[], %(items)s::bigint[],
            %(types)s::bigint[], %(fingerprints)s::uuid[], %(values)s::float8[], %(contexts)s::text[],
            %(requests)s::uuid[]
        ) AS given (event_id, microseconds, person, item_id, event_type_id, fingerprint, value, context, request_id)
        WHERE cardinality(people.pks) = %(number_of_users)s
    ), claimed AS (
        INSERT INTO interactions_eventkey (event_id, fingerprint, received_at)
        SELECT event_id, fingerprint, %(now)s FROM new WHERE fingerprint IS NOT NULL ORDER BY event_id
        ON CONFLICT DO NOTHING RETURNING event_id
    ), stored AS (
        INSERT INTO interactions_event
            (event_id, occurred_at, user_id, item_id, event_type_id, value, context, request_id, received_at)
        SELECT event_id, timestamptz 'epoch' + microseconds * interval '1 microsecond', user_id, item_id, event_type_id,
               value, context::jsonb, request_id, %(now)s
        FROM new WHERE fingerprint IS NULL OR event_id IN (SELECT event_id FROM claimed)
        ORDER BY event_id $conflict RETURNING event_id
    )
    SELECT (SELECT cardinality(pks) FROM people),
           CASE WHEN count(*) < %(number_of_events)s THEN coalesce(array_agg(event_id), '{}') END
    FROM stored
"""
_STORE_ALL = _STORE.replace("$conflict", "")
"""Fails when an event without an id of its own is stored already; takes a seventh less for not looking first."""
_STORE_NEW = _STORE.replace("$conflict", "ON CONFLICT DO NOTHING")


@dataclass(frozen=True, slots=True)
class Known:
    """Why rows were not stored."""

    event_ids: frozenset[str] = frozenset()
    """Those that are not new."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of these, ids given by clients that were claimed before → digest of the content they stand for."""


def insert(rows: Sequence[EventRow], now: datetime) -> Known | None:
    """Store rows of distinct ids, and hold their users against erasure and merging until the transaction ends.

    Returns None, and has stored nothing, when one of the users is unknown or withholds his consent.
    """
    if not rows:
        return Known()
    events = [row.event for row in rows]
    users = sorted({event.user_id for event in events})
    places = {user_id: str(place) for place, user_id in enumerate(users, start=1)}
    values = {
        "users": _texts(users),
        "event_ids": _array([row.event_id for row in rows]),
        "microseconds": _array([str(row.microseconds) for row in rows]),
        "people": _array([places[event.user_id] for event in events]),
        "items": _array([str(row.item_pk) for row in rows]),
        "types": _array([str(row.type_id) for row in rows]),
        "fingerprints": _array([None if row.event.event_id is None else row.digest for row in rows]),
        "values": _array([None if event.value is None else str(float(event.value)) for event in events]),
        "contexts": _array([None if event.context is None else _json(event.context) for event in events]),
        "requests": _array([None if event.request_id is None else event.request_id.hex for event in events]),
        "number_of_users": len(users),
        "number_of_events": len(rows),
        "now": now,
    }
    found, stored = _stored(values)
    if found != len(users):
        return None
    if stored is None:
        return Known()
    known = {row.event_id for row in rows} - {event_id.hex for event_id in stored}
    given = [row.event_id for row in rows if row.event.event_id is not None and row.event_id in known]
    return Known(frozenset(known), _digests(given) if given else {})


def _stored(values: Mapping[str, Any]) -> tuple[int, list[UUID] | None]:
    """Return how many of the users are known and willing, and the ids that were new, None when all were."""
    # A statement that fails would take the caller's transaction with it.
    if not connection.in_atomic_block:
        with suppress(IntegrityError):
            return _executed(_STORE_ALL, values)
    return _executed(_STORE_NEW, values)


def _executed(statement: str, values: Mapping[str, Any]) -> tuple[int, list[UUID] | None]:
    with connection.cursor() as cursor:
        # Django's own binds on the client.
        cursor.cursor = psycopg.Cursor(cursor.connection)
        cursor.execute(statement, values)
        [(found, stored)] = cursor.fetchall()
        return found, stored


def _digests(event_ids: list[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, fingerprint FROM interactions_eventkey WHERE event_id = ANY(%s::uuid[])",
            [event_ids],
        )
        return {event_id.hex: fingerprint.hex for event_id, fingerprint in cursor.fetchall()}


def _array(values: Sequence[str | None]) -> str:
    """Return an array's literal, the empty one when there is nothing but None."""
    missing = values.count(None)
    if missing == len(values):
        return "{}"
    texts = cast(Sequence[str], values) if not missing else ["NULL" if value is None else value for value in values]
    return "{" + ",".join(texts) + "}"


def _texts(values: list[str]) -> str:
    """Return the literal of an array of any texts, of which there is at least one."""
    # NUL is the one character that no text has, so that all are quoted in one go.
    joined = "\0".join(values).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\0", '","') + '"}'


def _json(value: Mapping[str, Any]) -> str:
    text = msgspec.json.encode(value).decode()
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
