"""From the staging tables (`staging`) into the events: users created, names resolved, inserted part by part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, connection, transaction

from interactions import stale_histories

PART_ROWS = 250_000
"""Events a transaction: three seconds or so, so that progress shows and locks are short. Every part locks and notes its
users, nearly all there are in any part: noting takes 1.4 s of a million events in four parts, 2.9 s in ten."""


@contextmanager
def unhurried() -> Iterator[None]:
    """Run in a transaction that no statement timeout cuts short and that sorts in memory."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '256MB'")
        yield


def create_users(cursor: Any) -> int:
    """Create the staged events' users that do not exist yet. Returns how many."""
    cursor.execute(
        """
        INSERT INTO interactions_userprofile (user_id, country, preferences, consent, created_at)
        SELECT u.user_id, coalesce(c.country, ''), '{}', 'granted', now()
        FROM (SELECT DISTINCT user_id FROM import_events) u LEFT JOIN import_countries c ON c.user_id = u.user_id
        ORDER BY u.user_id ON CONFLICT (user_id) DO NOTHING
        """
    )
    return int(cursor.rowcount)


def count_withheld(cursor: Any) -> int:
    """Return how many staged events belong to users who withhold their consent."""
    cursor.execute(
        """
        SELECT count(*) FROM import_events e
        WHERE e.user_id IN (SELECT u.user_id FROM interactions_userprofile u WHERE u.consent <> 'granted')
        """
    )
    return int(cursor.fetchone()[0])


def resolve(cursor: Any) -> int:
    """Turn names into keys and leave out what is stored already. Returns how many events are left.

    Without the ones already stored, because a plain INSERT costs half of one that must look for conflicts; in the order
    of time, because a part that touches few partitions costs a quarter less.
    """
    cursor.execute(
        """
        DROP TABLE IF EXISTS import_resolved;
        CREATE TEMP TABLE import_resolved AS
        SELECT * FROM (
            SELECT coalesce(e.event_id, e.fingerprint) AS event_id,
                   timestamptz 'epoch' + e.microseconds * interval '1 microsecond' AS occurred_at, u.id AS user_id,
                   i.id AS item_id, t.id AS event_type_id, e.value, e.context, e.request_id,
                   CASE WHEN e.event_id IS NOT NULL THEN e.fingerprint END AS fingerprint
            FROM import_events e
            JOIN interactions_userprofile u ON u.user_id = e.user_id AND u.consent = 'granted'
            JOIN catalog_item i ON i.item_id = e.item_id
            JOIN interactions_eventtype t ON t.name = e.event_type
        ) staged
        WHERE NOT EXISTS (
            SELECT 1 FROM interactions_event stored
            WHERE stored.event_id = staged.event_id AND stored.occurred_at = staged.occurred_at
        )
        ORDER BY occurred_at
        """
    )
    cursor.execute("SELECT count(*) FROM import_resolved")
    return int(cursor.fetchone()[0])


def insert_parts(waiting: int) -> Iterator[int]:
    """Insert the `waiting` resolved events, a transaction a part. Yields how many of each part were new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('import_resolved') / current_setting('block_size')::int")
        pages = int(cursor.fetchone()[0])
    parts = -(-waiting // PART_ROWS)
    for start, end in pairwise(pages * part // max(1, parts) for part in range(parts + 1)):
        with unhurried(), connection.cursor() as cursor:
            inserted = _insert_part(cursor, f"r.ctid >= '({start},0)'::tid AND r.ctid < '({end},0)'::tid")
        yield inserted


def _insert_part(cursor: Any, part: str) -> int:
    """Insert some pages of the resolved events. Returns how many were new."""
    # The lock keeps a user's erasure or merge waiting until his events are in; if it came first they are left out.
    cursor.execute(
        f"""
        SELECT u.user_id FROM interactions_userprofile u
        WHERE u.id IN (SELECT r.user_id FROM import_resolved r WHERE {part}) ORDER BY u.user_id FOR KEY SHARE OF u
        """  # noqa: S608 -- page numbers
    )
    users = [row[0] for row in cursor.fetchall()]
    cursor.execute(
        f"""
        DELETE FROM import_resolved r
        WHERE {part} AND NOT EXISTS (SELECT 1 FROM interactions_userprofile u WHERE u.id = r.user_id)
        """  # noqa: S608 -- page numbers
    )
    _claim_given_ids(cursor, part)
    insert = f"""
        INSERT INTO interactions_event
            (event_id, occurred_at, user_id, item_id, event_type_id, value, context, request_id, received_at)
        SELECT event_id, occurred_at, user_id, item_id, event_type_id, value, context, request_id, now()
        FROM import_resolved r WHERE {part} ORDER BY event_id
    """  # noqa: S608 -- page numbers
    try:
        with transaction.atomic():
            cursor.execute(insert)
    except IntegrityError:
        # One is twice in the data set, or somebody recorded it since they were resolved.
        cursor.execute(insert + " ON CONFLICT DO NOTHING")
    inserted = int(cursor.rowcount)
    if users:
        stale_histories.note(users)
    return inserted


def _claim_given_ids(cursor: Any, part: str) -> None:
    """Note the ids that came with the events; leave out an event whose id means another one by now."""
    cursor.execute(
        f"""
        INSERT INTO interactions_eventkey (event_id, fingerprint, received_at)
        SELECT DISTINCT r.event_id, r.fingerprint, now() FROM import_resolved r
        WHERE {part} AND r.fingerprint IS NOT NULL ORDER BY r.event_id ON CONFLICT DO NOTHING
        """  # noqa: S608 -- page numbers
    )
    cursor.execute(
        f"""
        DELETE FROM import_resolved r USING interactions_eventkey k
        WHERE {part} AND r.fingerprint IS NOT NULL AND k.event_id = r.event_id AND k.fingerprint <> r.fingerprint
        """  # noqa: S608 -- page numbers
    )
