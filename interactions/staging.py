"""The bulk door: many events at once into the table, each once, at most as fast as Postgres can index them.

1. `copy` streams rows into a temporary table (COPY).
2. `refuse_*` find what cannot be stored, in SQL, and report it by row; nothing has been written yet.
3. `store` creates users and partitions and inserts what is not stored yet, part by part, every part one transaction:
   ids in ascending order so that two writers of the same ids wait for each other instead of deadlocking, and the users
   whose history changed noted in the same transaction (`stale_histories`), so that no crash leaves a stale cache.

A killed import may have stored some parts; running it again stores the rest, because ids are derived from the content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice, pairwise
from typing import Any

from django.db import IntegrityError, connection, transaction

from interactions import partitions, stale_histories
from interactions.datasets.fields import EventRow
from interactions.identity import CONTENT_ID_SQL, EPOCH

PART_ROWS = 100_000
"""Events a transaction: a second or two, so that progress shows and locks are short."""
LINES_A_WRITE = 4_000

_DROP = "DROP TABLE IF EXISTS import_events, import_items, import_countries, import_refused, import_resolved;"
_TABLES = f"""
    {_DROP}
    CREATE TEMP TABLE import_events (
        row bigint, user_id text, item_id text, event_type text, microseconds bigint, value float8, event_id uuid,
        context jsonb, request_id uuid
    );
    CREATE TEMP TABLE import_items (item_id text PRIMARY KEY);
    CREATE TEMP TABLE import_countries (user_id text PRIMARY KEY, country text NOT NULL);
    CREATE TEMP TABLE import_refused (row bigint, code text, message text);
"""
_OCCURRED_AT = "timestamptz 'epoch' + e.microseconds * interval '1 microsecond'"
_FINGERPRINT = CONTENT_ID_SQL.format(
    user_id="e.user_id", item_id="e.item_id", event_type="e.event_type", microseconds="e.microseconds", value="e.value"
)


class ImportRunning(Exception):
    """Another import holds the door; two at once would only wait for each other."""


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """What `store` did. `withheld` events belong to users who withhold their consent."""

    users_new: int = 0
    new: int = 0
    duplicate: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A staged event that cannot be stored."""

    code: str
    message: str
    event: EventRow


@contextmanager
def staging() -> Iterator[StagedEvents]:
    """Open the door for one import; what was staged is dropped at the end.

    Raises
    ------
    ImportRunning
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('interactions.staging'))")
        if not cursor.fetchone()[0]:
            raise ImportRunning("another import is running in this database; start again when it has finished")
        try:
            cursor.execute(_TABLES)
            yield StagedEvents()
        finally:
            # After an error inside a caller's transaction nothing can be executed; its rollback drops the tables.
            if not connection.needs_rollback:
                cursor.execute(_DROP)
                cursor.execute("SELECT pg_advisory_unlock(hashtext('interactions.staging'))")


class StagedEvents:
    """Events on their way in. Use `staging` to get one."""

    def __init__(self) -> None:
        self.count = 0

    def copy(self, rows: Iterable[EventRow]) -> int:
        """Stream rows into the temporary table. Returns how many came."""
        iterator = iter(rows)
        with _unhurried(), connection.cursor() as cursor:
            with cursor.copy("COPY import_events FROM STDIN (FORMAT text, NULL '')") as copying:
                while part := list(islice(iterator, LINES_A_WRITE)):
                    text = "\n".join(["\t".join(row) for row in part]) + "\n"
                    # Tabs and line ends cannot occur: ids have no control characters and JSON escapes them.
                    copying.write(text.replace("\\", "\\\\") if "\\" in text else text)
                    self.count += len(part)
            cursor.execute("ANALYZE import_events")
        return self.count

    def declare_countries(self, countries: Mapping[str, str]) -> None:
        """Name the countries of users that are staged; an existing user keeps his."""
        with _unhurried(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO import_countries SELECT * FROM unnest(%s::text[], %s::text[])",
                [list(countries), list(countries.values())],
            )

    def declare_items(self, item_ids: Iterable[str]) -> None:
        """Name distinct items that will be in the catalogue before the events are stored."""
        with _unhurried(), connection.cursor() as cursor:
            with cursor.copy("COPY import_items FROM STDIN") as copying:
                for item_id in item_ids:
                    copying.write_row((item_id,))
            cursor.execute("ANALYZE import_items")

    def refuse_unknown_items(self) -> None:
        """Mark the events of items that neither the catalogue has nor `declare_items` named."""
        self._refuse(
            """
            SELECT e.row, 'item_unknown', 'there is no item ' || quote_literal(e.item_id) FROM import_events e
            WHERE NOT EXISTS (SELECT 1 FROM catalog_item i WHERE i.item_id = e.item_id)
              AND NOT EXISTS (SELECT 1 FROM import_items n WHERE n.item_id = e.item_id)
            """
        )

    def refuse_id_conflicts(self) -> None:
        """Mark the events whose given id stands for another event, in the file (the first stays) or in the table."""
        self._refuse(
            f"""
            SELECT given.row, 'id_conflict', 'event_id belongs to another event, ' ||
                   CASE WHEN k.fingerprint <> given.fingerprint THEN 'recorded earlier' ELSE 'of row ' || first_row END
            FROM (
                SELECT e.row, e.event_id, {_FINGERPRINT} AS fingerprint, first_value(e.row) OVER same AS first_row,
                       first_value({_FINGERPRINT}) OVER same AS first_fingerprint
                FROM import_events e WHERE e.event_id IS NOT NULL
                WINDOW same AS (PARTITION BY e.event_id ORDER BY e.row)
            ) given
            LEFT JOIN interactions_eventkey k ON k.event_id = given.event_id
            WHERE given.fingerprint <> given.first_fingerprint OR k.fingerprint <> given.fingerprint
            """  # noqa: S608 -- literals of this file
        )

    def _refuse(self, query: str) -> None:
        with _unhurried(), connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO import_refused {query}")

    def refusals(self) -> Iterator[Refusal]:
        """Yield what was marked, by row, without holding it all in memory."""
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(
                """
                SELECT r.code, r.message, e.row::text, e.user_id, e.item_id, e.event_type, e.microseconds::text,
                       coalesce(e.value::text, ''), coalesce(e.event_id::text, ''), coalesce(e.context::text, ''),
                       coalesce(e.request_id::text, '')
                FROM import_refused r JOIN import_events e ON e.row = r.row ORDER BY e.row
                """
            )
            while rows := cursor.fetchmany(2_000):
                for code, message, *event in rows:
                    yield Refusal(code, message, tuple(event))

    def drop_refused(self) -> int:
        """Take the marked events out. Returns how many there were."""
        with _unhurried(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM import_events e USING import_refused r WHERE r.row = e.row")
            cursor.execute("SELECT count(DISTINCT row) FROM import_refused")
            dropped = int(cursor.fetchone()[0])
            cursor.execute("TRUNCATE import_refused")
        self.count -= dropped
        return dropped

    def store(self, progress: Callable[[int], None] = lambda done: None) -> StoredCounts:
        """Insert what is staged. `progress` gets the number of events done so far.

        The caller has refused events of unknown items; those of items deleted since are silently left out.
        """
        if not self.count:
            return StoredCounts()
        with _unhurried(), connection.cursor() as cursor:
            self._ensure_partitions(cursor)
            users_new = _create_users(cursor)
            withheld = _count_withheld(cursor)
            waiting = _resolve(cursor)
        done = self.count - waiting
        progress(done)
        new = 0
        for inserted in _insert_parts(waiting):
            new += inserted
            progress(done + new)
        return StoredCounts(users_new, new, self.count - new - withheld, withheld)

    def _ensure_partitions(self, cursor: Any) -> None:
        cursor.execute("SELECT min(microseconds), max(microseconds) FROM import_events")
        first, last = (EPOCH + timedelta(microseconds=moment) for moment in cursor.fetchone())
        partitions.ensure("interactions_event", first, last)


@contextmanager
def _unhurried() -> Iterator[None]:
    """Run in a transaction that no statement timeout cuts short and that sorts in memory."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '256MB'")
        yield


def _create_users(cursor: Any) -> int:
    cursor.execute(
        """
        INSERT INTO interactions_userprofile (user_id, country, preferences, consent, created_at)
        SELECT u.user_id, coalesce(c.country, ''), '{}', 'granted', now()
        FROM (SELECT DISTINCT user_id FROM import_events) u LEFT JOIN import_countries c ON c.user_id = u.user_id
        ORDER BY u.user_id ON CONFLICT (user_id) DO NOTHING
        """
    )
    return int(cursor.rowcount)


def _count_withheld(cursor: Any) -> int:
    cursor.execute(
        """
        SELECT count(*) FROM import_events e
        WHERE e.user_id IN (SELECT u.user_id FROM interactions_userprofile u WHERE u.consent <> 'granted')
        """
    )
    return int(cursor.fetchone()[0])


def _resolve(cursor: Any) -> int:
    """Turn names into keys and leave out what is stored already. Returns how many events are left.

    Without the ones already stored, because a plain INSERT costs half of one that must look for conflicts; in the order
    of time, because a part that touches few partitions costs a quarter less.
    """
    cursor.execute(
        f"""
        DROP TABLE IF EXISTS import_resolved;
        CREATE TEMP TABLE import_resolved AS
        SELECT * FROM (
            SELECT coalesce(e.event_id, {_FINGERPRINT}) AS event_id, {_OCCURRED_AT} AS occurred_at, u.id AS user_id,
                   i.id AS item_id, t.id AS event_type_id, e.value, e.context, e.request_id,
                   CASE WHEN e.event_id IS NOT NULL THEN {_FINGERPRINT} END AS fingerprint
            FROM import_events e
            JOIN interactions_userprofile u ON u.user_id = e.user_id AND u.consent = 'granted'
            JOIN catalog_item i ON i.item_id = e.item_id
            JOIN interactions_eventtype t ON t.name = e.event_type
            OFFSET 0 -- else the planner derives the id twice, once to compare and once to keep
        ) staged
        WHERE NOT EXISTS (
            SELECT 1 FROM interactions_event stored
            WHERE stored.event_id = staged.event_id AND stored.occurred_at = staged.occurred_at
        )
        ORDER BY occurred_at
        """  # noqa: S608 -- literals of this file
    )
    cursor.execute("SELECT count(*) FROM import_resolved")
    return int(cursor.fetchone()[0])


def _insert_parts(waiting: int) -> Iterator[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('import_resolved') / current_setting('block_size')::int")
        pages = int(cursor.fetchone()[0])
    parts = -(-waiting // PART_ROWS)
    for start, end in pairwise(pages * part // max(1, parts) for part in range(parts + 1)):
        with _unhurried(), connection.cursor() as cursor:
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
