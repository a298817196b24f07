"""Making the largest tables ready to be spread over machines by Citus: a key that holds the column they are spread by.

    interactions_event       by user_id    (event_id, occurred_at)           → + user_id
    interactions_impression  by user_id    (request_id, position, shown_at)  → + user_id
    interactions_eventkey    by event_id   (event_id) as it is: an id stays one event whoever sends it again

For sites that will shard only: the wider key no longer finds an event without an id of its own that is sent again after
its visitor was merged into a person, nor such a list. Everything else stays on the coordinator: people and what they
are exposed to have keys without this column, and items and event types have triggers, which no distributed or reference
table may. The triggers of `interactions_event` go: what merging and erasing change in popularity then shows when the
window moves, within a day (`item_scores`).

1. Each partition gets the new unique index beside the old key, without keeping writers out.
2. One short transaction a table puts these indexes in the old key's place. New partitions copy the new key.

Stopped at any point it can be run again, and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction

LOCK_SECONDS = 2
"""How long the swap waits for a table, and so keeps its writers waiting at most; the swap itself takes milliseconds."""


class NotSharded(Exception):
    """A table could not be changed and is as it was; the message says why."""


@dataclass(frozen=True, slots=True)
class Distributed:
    """A table to be spread over machines."""

    table: str
    column: str
    """Whose hash says where a row lies."""
    key: tuple[str, ...]
    """Of the primary key, which must hold `column`; what is looked for first comes first."""
    triggers: tuple[str, ...] = ()
    """That go, because Citus takes no table with triggers."""


TABLES = (
    Distributed(
        "interactions_event",
        "user_id",
        ("event_id", "occurred_at", "user_id"),
        ("interactions_event_updated", "interactions_event_deleted", "interactions_event_emptied"),
    ),
    Distributed("interactions_impression", "user_id", ("request_id", "position", "shown_at", "user_id")),
    Distributed("interactions_eventkey", "event_id", ("event_id",)),
)


def apply(progress: Callable[[str], None] = lambda statement: None) -> None:
    """Change what is not changed yet; `progress` gets each statement before it is executed.

    Inside a transaction of the caller's, indexes are built while writers wait.

    Raises
    ------
    NotSharded
        Rows are there twice under the new key, or a table was busy for LOCK_SECONDS.
    """
    for wanted in TABLES:
        with _unhurried():
            try:
                # Until nothing is missing: partitions may have come while the indexes of the others were built.
                while missing := list(prepare(wanted, concurrently=not connection.in_atomic_block)):
                    for statement in missing:
                        progress(statement)
                        _execute(statement, wanted)
            except NotSharded:
                _drop_unusable(wanted)
                raise
            with transaction.atomic():
                for statement in swap(wanted, _ready_partitions(wanted)):
                    progress(statement)
                    _execute(statement, wanted)


def sql() -> list[str]:
    """Return the statements of `apply` as a script for psql, [] when nothing is left to do."""
    script: list[str] = []
    for wanted in TABLES:
        script += prepare(wanted)
        if changes := list(swap(wanted, _partitions(wanted))):
            script += ["BEGIN", *changes, "COMMIT"]
    return script


def citus_sql() -> list[str]:
    """Return the statements that spread the tables, for the coordinator, once `apply` is done."""
    return [
        # Their columns' types differ, so that no two of them can lie side by side.
        f"SELECT create_distributed_table('{wanted.table}', '{wanted.column}', colocate_with => 'none')"
        for wanted in TABLES
    ]


def prepare(wanted: Distributed, *, concurrently: bool = True) -> Iterator[str]:
    """Yield the statements that build the new key's missing indexes; each is a transaction of its own."""
    if _has_key(wanted):
        return
    how = "CONCURRENTLY " if concurrently else ""
    for partition, is_ready in _indexes(wanted).items():
        if is_ready is False:
            # A build that was broken off leaves an index that nothing may use.
            yield f"DROP INDEX {how}{_index(partition)}"
        if not is_ready:
            yield f"CREATE UNIQUE INDEX {how}{_index(partition)} ON {partition} ({', '.join(wanted.key)})"


def swap(wanted: Distributed, ready: list[str]) -> Iterator[str]:
    """Yield the statements of the transaction that changes the key; nothing when it is changed.

    Partitions that are not `ready` came since the preparation: they get their index on the way.
    """
    has_key, triggers = _has_key(wanted), _triggers(wanted)
    if has_key and not triggers:
        return
    yield f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"
    # Whoever makes partitions waits (`partitions`).
    yield f"SELECT pg_advisory_xact_lock(hashtext('{wanted.table}'))"
    yield f"LOCK TABLE {wanted.table} IN ACCESS EXCLUSIVE MODE"
    for trigger in triggers:
        yield f"DROP TRIGGER {trigger} ON {wanted.table}"
    if has_key:
        return
    yield f"ALTER TABLE {wanted.table} DROP CONSTRAINT IF EXISTS {wanted.table}_pkey"
    for partition in ready:
        yield f"ALTER TABLE {partition} ADD CONSTRAINT {partition}_pkey PRIMARY KEY USING INDEX {_index(partition)}"
    # The whole table's key takes up its partitions' keys as they are.
    yield f"ALTER TABLE {wanted.table} ADD CONSTRAINT {wanted.table}_pkey PRIMARY KEY ({', '.join(wanted.key)})"


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let nothing be cut short; a caller's transaction keeps its own limits."""
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute("RESET statement_timeout; RESET lock_timeout")


def _execute(statement: str, wanted: Distributed) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except IntegrityError as error:
        raise NotSharded(f"{wanted.table} has rows twice under ({', '.join(wanted.key)}): {error}") from error
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":
            raise
        raise NotSharded(f"{wanted.table} is busy and stays as it is; run it again: {error}") from error


def _drop_unusable(wanted: Distributed) -> None:
    """Drop indexes whose build failed: they would go on refusing rows."""
    if connection.in_atomic_block:
        return  # the caller's rollback takes them
    for partition, is_ready in _indexes(wanted).items():
        if is_ready is False:
            _execute(f"DROP INDEX CONCURRENTLY {_index(partition)}", wanted)


def _index(partition: str) -> str:
    return f"{partition}_sharded"


def _partitions(wanted: Distributed) -> list[str]:
    return list(_indexes(wanted))


def _ready_partitions(wanted: Distributed) -> list[str]:
    return [partition for partition, is_ready in _indexes(wanted).items() if is_ready]


def _indexes(wanted: Distributed) -> dict[str, bool | None]:
    """Return partition → whether its index for the new key can be used, None where there is none."""
    return dict(
        _rows(
            """
            SELECT tree.relid::regclass::text, built.indisvalid FROM pg_partition_tree(%s) AS tree
            LEFT JOIN pg_index AS built ON built.indrelid = tree.relid
                AND (SELECT relname FROM pg_class WHERE oid = built.indexrelid) = (
                    SELECT relname || '_sharded' FROM pg_class WHERE oid = tree.relid
                )
            WHERE tree.isleaf AND tree.level > 0 ORDER BY 1
            """,
            wanted.table,
        )
    )


def _has_key(wanted: Distributed) -> bool:
    names = _rows(
        """
        SELECT attname FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS named (number, place)
        JOIN pg_attribute ON attnum = number
        WHERE conrelid = %s::regclass AND contype = 'p' AND attrelid = conrelid ORDER BY place
        """,
        wanted.table,
    )
    return tuple(name for (name,) in names) == wanted.key


def _triggers(wanted: Distributed) -> list[str]:
    """Return those of the table's triggers that are to go and are still there."""
    names = _rows("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass ORDER BY 1", wanted.table)
    return [name for (name,) in names if name in wanted.triggers]


def _rows(query: str, table: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, [table])
        return list(cursor.fetchall())
