"""Range partitions of the append-only tables, by the row's own UTC timestamp.

Recent time is cut by month, older years by year: twenty years of imported history stay a few dozen partitions, which
keeps planning quick. Rows outside every partition land in the default one; `doctor` and a metric say so, and
`repair_default` moves them where they belong.

A partition is filled and only then attached: attaching leaves readers and writers of the other partitions alone,
whereas `CREATE TABLE … PARTITION OF` locks them all out and fails when the default partition holds rows of its range.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection as default_connection
from django.db import transaction

logger = logging.getLogger(__name__)

TABLES = {"interactions_event": "occurred_at", "interactions_impression": "shown_at"}
PREMAKE_MONTHS = 4
MONTHLY_SINCE_MONTHS = 13
"""Months back from now that are cut by month; anything before the January below that is cut by year."""

Range = tuple[str, datetime, datetime]
"""Suffix of the partition's name, its first instant, and the instant it ends before."""
Partition = tuple[datetime, datetime, str]
"""First instant, the instant it ends before, name."""


def month_start(moment: datetime) -> datetime:
    """Return the first instant of the month of `moment`, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(start: datetime) -> datetime:
    """Return the first instant of the month after `start` (itself a first instant)."""
    return month_start(start + timedelta(days=32))


def ranges(first: datetime, last: datetime, now: datetime) -> Iterator[Range]:
    """Yield the ranges that hold `first`..`last`, oldest first."""
    monthly_since = month_start(now - timedelta(days=31 * MONTHLY_SINCE_MONTHS)).replace(month=1)
    start = month_start(first)
    while start <= last:
        if start < monthly_since:
            start = start.replace(month=1)
            until = start.replace(year=start.year + 1)
            yield f"y{start.year:04d}", start, until
        else:
            until = next_month(start)
            yield _month(start)
        start = until


def ensure(table: str, first: datetime, last: datetime, connection: Any = default_connection) -> list[str]:
    """Create the missing partitions of `table` for `first`..`last`. Returns the names created.

    Rows of those ranges that wait in the default partition move along. One transaction; callers at the same time queue.
    """
    return _ensure(table, list(ranges(first, last, datetime.now(UTC))), connection)


def premake(connection: Any = default_connection) -> list[str]:
    """Create this month's and the next months' partitions of every table. Returns the names created."""
    now = datetime.now(UTC)
    last = now + timedelta(days=31 * PREMAKE_MONTHS)
    return [name for table in TABLES for name in ensure(table, now, last, connection)]


def existing(table: str) -> list[Partition]:
    """Return the partitions of a table, without the default one, oldest first."""
    with default_connection.cursor() as cursor:
        return sorted(_existing(cursor, table))


def default_rows(table: str) -> int:
    """Count the rows in the default partition; anything but 0 deserves a look."""
    with default_connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}_default")  # noqa: S608 -- a key of TABLES
        return int(cursor.fetchone()[0])


def newest_start(table: str) -> datetime | None:
    """Return the first instant of the newest partition that holds rows, None when there is none.

    A bound for reads of the newest rows: nothing indexes the time alone, and this leaves one partition to read. Rows in
    the default partition are not considered, but a read bounded by time sees them.
    """
    with default_connection.cursor() as cursor:
        for low, _, name in sorted(_existing(cursor, table), reverse=True):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 -- from pg_class
            if cursor.fetchone()[0]:
                return low
    return None


def alarm() -> dict[str, int]:
    """Log an error for each table with rows in its default partition. Returns table → rows, of those tables."""
    stray = {table: rows for table in TABLES if (rows := default_rows(table))}
    for table, rows in stray.items():
        logger.error("%d rows of %s are in no partition of their own: run manage.py repair_partitions", rows, table)
    return stray


def repair_default(table: str) -> int:
    """Move the default partition's rows to partitions of their own, in one transaction. Returns how many moved.

    Rows of no calendar year that Python knows in full (before 1, or December 9999) stay.
    """
    column = TABLES[table]
    now = datetime.now(UTC)
    with transaction.atomic(), default_connection.cursor() as cursor:
        before = default_rows(table)
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', {column}, 'UTC') FROM {table}_default "  # noqa: S608
            f"WHERE {column} >= '0001-01-01' AND {column} < '9999-12-01' ORDER BY 1"
        )
        months = [row[0] for row in cursor.fetchall()]
        _ensure(table, [found for month in months for found in ranges(month, month, now)], default_connection)
        return before - default_rows(table)


def _ensure(table: str, wanted: Iterable[Range], connection: Any) -> list[str]:
    created: list[str] = []
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        existing = _existing(cursor, table)
        for suffix, start, until in _missing(wanted, existing):
            name = f"{table}_{suffix}"
            _create(cursor, table, name, start, until)
            existing.append((start, until, name))
            created.append(name)
    return created


def _missing(wanted: Iterable[Range], existing: list[Partition]) -> Iterator[Range]:
    """Yield what `existing` (read anew at each step) does not hold, a partly held year by month."""
    for suffix, start, until in wanted:
        overlapping = [bounds for bounds in existing if bounds[0] < until and start < bounds[1]]
        if not overlapping:
            yield suffix, start, until
        elif not any(low <= start and until <= high for low, high, _ in overlapping):
            month = start
            while month < until:
                if not any(low <= month < high for low, high, _ in overlapping):
                    yield _month(month)
                month = next_month(month)


def _month(start: datetime) -> Range:
    return f"y{start.year:04d}m{start.month:02d}", start, next_month(start)


def _create(cursor: Any, table: str, name: str, start: datetime, until: datetime) -> None:
    column = TABLES[table]
    bounds = [start.isoformat(), until.isoformat()]
    cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)")
    # Rows of this range must not enter the default partition between the move and the attachment.
    cursor.execute(f"LOCK TABLE {table}_default IN SHARE ROW EXCLUSIVE MODE")
    cursor.execute(
        f"WITH moved AS (DELETE FROM {table}_default WHERE {column} >= %s AND {column} < %s RETURNING *) "  # noqa: S608
        f"INSERT INTO {name} SELECT * FROM moved",
        bounds,
    )
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", bounds)


def _existing(cursor: Any, table: str) -> list[Partition]:
    cursor.execute(
        """
        SELECT (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz,
               (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz,
               c.oid::regclass::text
        FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = %s::regclass AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
        """,
        [table],
    )
    return list(cursor.fetchall())
