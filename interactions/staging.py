"""The bulk door: many events at once into the table, each once, at most as fast as Postgres can index them.

1. `copy` streams rows into a temporary table (COPY).
2. `refuse_*` find what cannot be stored, in SQL, and report it by row; nothing has been written yet.
3. `store` creates users and partitions and inserts what is not stored yet (`staged_insert`), part by part, every part
   one transaction: ids in ascending order so that two writers of the same ids wait for each other instead of
   deadlocking, and the users whose history changed noted in it (`stale_histories`), so that no crash leaves a stale
   cache.

A killed import may have stored some parts; running it again stores the rest, because ids are derived from the content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction

from interactions import partitions, staged_insert
from interactions.datasets.fields import EventRow
from interactions.identity import CONTENT_ID_SQL, EPOCH
from interactions.staged_insert import unhurried

LINES_A_WRITE = 1_000
"""Some 60 kB: a socket holds several, so that reading goes on while Postgres takes them."""
ANALYZE_ABOVE = 1_000
"""New rows after which the planner's statistics are worth a fresh look."""

_DROP = "DROP TABLE IF EXISTS import_events, import_items, import_countries, import_refused, import_resolved;"
_FINGERPRINT = CONTENT_ID_SQL.format(
    user_id="user_id", item_id="item_id", event_type="event_type", microseconds="microseconds", value="value"
)
# Postgres computes the fingerprints while Python reads on: it would only wait for rows.
_TABLES = f"""
    {_DROP}
    CREATE TEMP TABLE import_events (
        row bigint, user_id text, item_id text, event_type text, microseconds bigint, value float8, event_id uuid,
        context jsonb, request_id uuid, fingerprint uuid GENERATED ALWAYS AS ({_FINGERPRINT}) STORED
    );
    CREATE TEMP TABLE import_items (item_id text PRIMARY KEY);
    CREATE TEMP TABLE import_countries (user_id text PRIMARY KEY, country text NOT NULL);
    CREATE TEMP TABLE import_refused (row bigint, code text, message text);
"""


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
        with unhurried(), connection.cursor() as cursor:
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
        with unhurried(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO import_countries SELECT * FROM unnest(%s::text[], %s::text[])",
                [list(countries), list(countries.values())],
            )

    def declare_items(self, item_ids: Iterable[str]) -> None:
        """Name distinct items that will be in the catalogue before the events are stored."""
        with unhurried(), connection.cursor() as cursor:
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
            """
            SELECT given.row, 'id_conflict', 'event_id belongs to another event, ' ||
                   CASE WHEN k.fingerprint <> given.fingerprint THEN 'recorded earlier' ELSE 'of row ' || first_row END
            FROM (
                SELECT e.row, e.event_id, e.fingerprint, first_value(e.row) OVER same AS first_row,
                       first_value(e.fingerprint) OVER same AS first_fingerprint
                FROM import_events e WHERE e.event_id IS NOT NULL
                WINDOW same AS (PARTITION BY e.event_id ORDER BY e.row)
            ) given
            LEFT JOIN interactions_eventkey k ON k.event_id = given.event_id
            WHERE given.fingerprint <> given.first_fingerprint OR k.fingerprint <> given.fingerprint
            """
        )

    def _refuse(self, query: str) -> None:
        with unhurried(), connection.cursor() as cursor:
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
        with unhurried(), connection.cursor() as cursor:
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
        with unhurried(), connection.cursor() as cursor:
            self._ensure_partitions(cursor)
            users_new = staged_insert.create_users(cursor)
            if users_new > ANALYZE_ABOVE:
                # Else names are resolved one by one, as suits the table that it was before.
                cursor.execute("ANALYZE interactions_userprofile")
            withheld = staged_insert.count_withheld(cursor)
            waiting = staged_insert.resolve(cursor)
        done = self.count - waiting
        progress(done)
        new = 0
        for inserted in staged_insert.insert_parts(waiting):
            new += inserted
            progress(done + new)
        return StoredCounts(users_new, new, self.count - new - withheld, withheld)

    def _ensure_partitions(self, cursor: Any) -> None:
        cursor.execute("SELECT min(microseconds), max(microseconds) FROM import_events")
        first, last = (EPOCH + timedelta(microseconds=moment) for moment in cursor.fetchone())
        partitions.ensure("interactions_event", first, last)
