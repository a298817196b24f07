"""Range partitions of the append-only tables, by the row's own UTC timestamp.

Recent time is cut by month, or by day where `INTERACTIONS_PARTITION_BY` says so, older years by year: twenty years of
imported history stay a few dozen partitions, which keeps planning quick. What is cut stays so. Rows outside every
partition land in the default one; `doctor` and a metric say so, and `repair_default` moves them where they belong.

A partition is filled and only then attached: attaching leaves readers and writers of the other partitions alone,
whereas `CREATE TABLE … PARTITION OF` locks them all out and fails when the default partition holds rows of its range.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as default_connection
from django.db import transaction

from interactions import conf

logger = logging.getLogger(__name__)

TABLES = {"interactions_event": "occurred_at", "interactions_impression": "shown_at"}
PREMAKE_DAYS = {"month": 31 * 4, "day": 14}
DAILY_SINCE_DAYS = 31
"""Days back from now that are cut by day where that is set, from the first of that month."""
MONTHLY_SINCE_MONTHS = 13
"""Months back from now that are cut by month; anything before the January below that is cut by year."""
PARTITIONS_A_QUERY = 32
"""More than are made ahead: whether they hold rows is asked in one."""

Range = tuple[str, datetime, datetime]
"""Suffix of the partition's name, its first instant, and the instant it ends before."""
Partition = tuple[datetime, datetime, str]
"""First instant, the instant it ends before, name."""


def check_partition_by(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error where the setting is neither month nor day."""
    try:
        conf.partition_by()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="interactions.E003")]
    return []


def month_start(moment: datetime) -> datetime:
    """Return the first instant of the month of `moment`, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(start: datetime) -> datetime:
    """Return the first instant of the month after `start` (itself a first instant)."""
    return month_start(start + timedelta(days=32))


def ranges(first: datetime, last: datetime, now: datetime, by: str = "month") -> Iterator[Range]:
    """Yield the ranges that hold `first`..`last`, oldest first; recent time is cut `by` "month" or "day"."""
    monthly_since = month_start(now - timedelta(days=31 * MONTHLY_SINCE_MONTHS)).replace(month=1)
    daily_since = (
        month_start(now - timedelta(days=DAILY_SINCE_DAYS)) if by == "day" else datetime.max.replace(tzinfo=UTC)
    )
    start = _day_start(first) if first >= daily_since else month_start(first)
    while start <= last:
        if start < monthly_since:
            start = start.replace(month=1)
            cut = f"y{start.year:04d}", start, start.replace(year=start.year + 1)
        elif start < daily_since:
            cut = _month(start)
        else:
            cut = _day(start)
        yield cut
        start = cut[2]


def ensure(table: str, first: datetime, last: datetime, connection: Any = default_connection) -> list[str]:
    """Create the missing partitions of `table` for `first`..`last`. Returns the names created.

    Rows of those ranges that wait in the default partition move along. One transaction; callers at the same time queue.
    """
    return _ensure(table, list(ranges(first, last, datetime.now(UTC), conf.partition_by())), connection)


def premake(connection: Any = default_connection) -> list[str]:
    """Create the partitions of now and of what comes, of every table. Returns the names created.

    Months that were made ahead and hold nothing yet are made anew by day, where that is set now.
    """
    now, by = datetime.now(UTC), conf.partition_by()
    last = now + timedelta(days=PREMAKE_DAYS[by])
    created: list[str] = []
    for table in TABLES:
        with transaction.atomic(using=connection.alias):
            if by == "day":
                _drop_empty_months(table, now, connection)
            created += ensure(table, now, last, connection)
    return created


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

    Of the one before, if that began within the last day: it holds little yet. A bound for reads of the newest rows:
    this leaves one partition or two to read. Rows in the default partition are not considered, but a read bounded by
    time sees them.
    """
    young = datetime.now(UTC) - timedelta(days=1)
    start: datetime | None = None
    with default_connection.cursor() as cursor:
        newest = sorted(_existing(cursor, table), reverse=True)
        for first in range(0, len(newest), PARTITIONS_A_QUERY):
            for low in _that_hold_rows(cursor, newest[first : first + PARTITIONS_A_QUERY]):
                start = low
                if low <= young:
                    return start
    return start


def _that_hold_rows(cursor: Any, partitions: list[Partition]) -> list[datetime]:
    """Return the first instants of those of `partitions` that hold rows, the newest first."""
    held = (f"SELECT %s::timestamptz AS low WHERE EXISTS (SELECT FROM {name})" for *_, name in partitions)  # noqa: S608
    cursor.execute(f"{' UNION ALL '.join(held)} ORDER BY low DESC", [low for low, *_ in partitions])
    return [low for (low,) in cursor.fetchall()]


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
    column, now, by = TABLES[table], datetime.now(UTC), conf.partition_by()
    with transaction.atomic(), default_connection.cursor() as cursor:
        before = default_rows(table)
        cursor.execute(
            f"SELECT DISTINCT date_trunc('{by}', {column}, 'UTC') FROM {table}_default "  # noqa: S608
            f"WHERE {column} >= '0001-01-01' AND {column} < '9999-12-01' ORDER BY 1"
        )
        starts = [row[0] for row in cursor.fetchall()]
        _ensure(table, [found for start in starts for found in ranges(start, start, now, by)], default_connection)
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
    """Yield what `existing` (read anew at each step) does not hold, a partly held year by month, a month by day."""
    for suffix, start, until in wanted:
        overlapping = [bounds for bounds in existing if bounds[0] < until and start < bounds[1]]
        if not overlapping:
            yield suffix, start, until
        elif not any(low <= start and until <= high for low, high, _ in overlapping):
            yield from _missing(_pieces(start, until), existing)


def _pieces(start: datetime, until: datetime) -> Iterator[Range]:
    """Yield the months of a year, the days of a month, nothing of a day."""
    if until - start <= timedelta(days=1):
        return
    cut = _month if until > next_month(start) else _day
    while start < until:
        yield cut(start)
        start = cut(start)[2]


def _month(start: datetime) -> Range:
    return f"y{start.year:04d}m{start.month:02d}", start, next_month(start)


def _day(start: datetime) -> Range:
    return f"y{start.year:04d}m{start.month:02d}d{start.day:02d}", start, start + timedelta(days=1)


def _day_start(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _drop_empty_months(table: str, now: datetime, connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])
        for low, high, name in _existing(cursor, table):
            if low > now and high - low > timedelta(days=1):
                cursor.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
                cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 -- from pg_class
                if not cursor.fetchone()[0]:
                    cursor.execute(f"DROP TABLE {name}")


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
