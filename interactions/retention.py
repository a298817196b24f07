"""How long what people did is kept: partitions that have grown too old are dropped, which costs nothing a row.

`INTERACTIONS_RETENTION_DAYS` says after how many days; without it everything is kept. A partition goes when all of it
is too old, so that rows live up to a month longer (years before the last: up to a year; where time is cut by day, up to
a day). What was refused goes as well. They are dropped and not first detached while others read (`CONCURRENTLY`), since
Postgres refuses that to a table with a default partition.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from interactions import conf, partitions, stale_histories
from interactions.models import DeadLetter

logger = logging.getLogger(__name__)


def drop_old() -> list[str]:
    """Drop what is older than the setting allows; return the names of the partitions that went.

    One transaction each, which waits for a lock no longer than `lock_timeout`: what is busy now goes an hour later.
    """
    days = conf.retention_days()
    if days is None:
        return []
    before = datetime.now(UTC) - timedelta(days=days)
    dropped = [name for table in partitions.TABLES for name in _drop_partitions(table, before)]
    for table, column in partitions.TABLES.items():
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}_default WHERE {column} < %s", [before])  # noqa: S608 -- of TABLES
    DeadLetter.objects.filter(received_at__lt=before).delete()
    return dropped


def _drop_partitions(table: str, before: datetime) -> list[str]:
    old = [name for _, until, name in partitions.existing(table) if until <= before]
    for name in old:
        with transaction.atomic(), connection.cursor() as cursor:
            if table == "interactions_event":
                _forget_histories(name)
            cursor.execute(f"DROP TABLE {name}")
        logger.info("dropped %s: older than the retention", name)
    return old


def _forget_histories(name: str) -> None:
    """Have Redis forget whoever has events in the partition."""
    with connection.cursor() as read:
        read.execute(
            f"""
            SELECT DISTINCT profile.user_id FROM interactions_userprofile profile
            WHERE EXISTS (SELECT FROM {name} event WHERE event.user_id = profile.id)
            """  # noqa: S608 -- from pg_class
        )
        stale_histories.note([user_id for (user_id,) in read.fetchall()])
