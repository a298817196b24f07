"""Range partitions of the append-only tables, by the row's own UTC timestamp.

Recent time is cut by month, older years by year: twenty years of imported history stay a few dozen partitions, which
keeps planning quick. Rows outside every partition land in the default one; `doctor` and a metric say so, and
`repair_default` moves them where they belong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection as default_connection
from django.db import transaction

TABLES = {"interactions_event": "occurred_at", "interactions_impression": "shown_at"}
PREMAKE_MONTHS = 4
MONTHLY_SINCE_MONTHS = 13
"""Months back from now that are cut by month; anything before the January below that is cut by year."""


def month_start(moment: datetime) -> datetime:
    """Return the first instant of the month of `moment`, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(start: datetime) -> datetime:
    """Return the first instant of the month after `start` (itself a first instant)."""
    return month_start(start + timedelta(days=32))


def ranges(first: datetime, last: datetime, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield (suffix, from, until) of the partitions that hold `first`..`last`, oldest first."""
    monthly_since = month_start(now - timedelta(days=31 * MONTHLY_SINCE_MONTHS)).replace(month=1)
    start = month_start(first)
    while start <= last:
        if start < monthly_since:
            start = start.replace(month=1)
            until = start.replace(year=start.year + 1)
            yield f"y{start.year}", start, until
        else:
            until = next_month(start)
            yield f"y{start.year}m{start.month:02d}", start, until
        start = until


def ensure(table: str, first: datetime, last: datetime, connection: Any = default_connection) -> list[str]:
    """Create the missing partitions of `table` for `first`..`last`. Returns the names created."""
    created = []
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        existing = _existing(cursor, table)
        for suffix, start, until in ranges(first, last, now):
            name = f"{table}_{suffix}"
            if any(low < until and start < high for low, high in existing.values()):
                continue
            with transaction.atomic(using=connection.alias):
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
                cursor.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM (%s) TO (%s)",
                    [start.isoformat(), until.isoformat()],
                )
            created.append(name)
    return created


def premake(connection: Any = default_connection) -> list[str]:
    """Create this month's and the next months' partitions of every table. Returns the names created."""
    now = datetime.now(UTC)
    last = now + timedelta(days=31 * PREMAKE_MONTHS)
    return [name for table in TABLES for name in ensure(table, now, last, connection)]


def default_rows(table: str) -> int:
    """Count the rows in the default partition; anything but 0 deserves a look."""
    with default_connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}_default")  # noqa: S608 -- a key of TABLES
        return int(cursor.fetchone()[0])


def repair_default(table: str) -> int:
    """Move the default partition's rows to partitions of their own, in one transaction. Returns how many."""
    column = TABLES[table]
    with transaction.atomic(), default_connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(f"CREATE TEMP TABLE moving ON COMMIT DROP AS SELECT * FROM {table}_default")  # noqa: S608
        cursor.execute(f"SELECT count(*), min({column}), max({column}) FROM moving")  # noqa: S608
        count, first, last = cursor.fetchone()
        if not count:
            return 0
        cursor.execute(f"DELETE FROM {table}_default")  # noqa: S608
        ensure(table, first, last)
        cursor.execute(f"INSERT INTO {table} SELECT * FROM moving")  # noqa: S608
        return int(count)


def _existing(cursor: Any, table: str) -> dict[str, tuple[datetime, datetime]]:
    cursor.execute(
        """
        SELECT c.relname,
               (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz,
               (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz
        FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = %s::regclass AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
        """,
        [table],
    )
    return {name: (low, high) for name, low, high in cursor.fetchall()}
