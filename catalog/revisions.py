"""How every process learns, without asking Postgres, that something it holds in memory has changed.

1. A trigger on each table that steers serving raises that table's row in `catalog_revision`,
   in the transaction of the change (migrations call `watch_sql` for it); items note the revision that changed them.
2. After commit the writer copies all revisions to one Redis hash (`announce_after_commit`).
3. A request reads the hash in the Redis round trip it makes anyway and compares it with what it holds (`process_copy`);
   with Redis away it reads the rows from Postgres (`current`).

`announce_all` runs from beat as well, so that a lost announcement or raw SQL is mended within seconds.
"""

from __future__ import annotations

import logging

import redis
from django.db import connection, transaction

from catalog.redis_store import client, key

logger = logging.getLogger(__name__)

CATALOGUE = "catalogue"
RULES = "rules"
MODEL = "model"
EXPERIMENTS = "experiments"
EVENT_TYPES = "event_types"
PRESENTATIONS = "presentations"
REMOVALS = "removals"
"""Raised with CATALOGUE when items go: nothing of them is left to tell. Requests do not ask for it."""
NAMES = (CATALOGUE, RULES, MODEL, EXPERIMENTS, EVENT_TYPES, PRESENTATIONS)

Revisions = dict[str, int]

# Only ever raises a field: two writers' announcements may arrive in either order.
_RAISE = """
for i = 1, #ARGV, 2 do
  local old = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '-1')
  if tonumber(ARGV[i + 1]) > old then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
"""


def hash_key() -> str:
    """Return the Redis key of the hash name → revision."""
    return key("revisions")


def from_database() -> Revisions:
    """Read the revisions NAMES from Postgres (one query)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, value FROM catalog_revision WHERE name = ANY(%s)", [list(NAMES)])
        return {name: int(value) for name, value in cursor.fetchall()}


def from_reply(reply: list[bytes | None]) -> Revisions | None:
    """Decode an `HMGET hash_key() *NAMES` reply; None when Redis does not hold all of them."""
    if any(value is None for value in reply):
        return None
    return {name: int(value) for name, value in zip(NAMES, reply, strict=True) if value is not None}


def announce_all() -> Revisions:
    """Copy the revisions from Postgres to Redis. Returns them; a Redis failure is logged, not raised."""
    values = from_database()
    arguments = [str(part) for pair in values.items() for part in pair]
    try:
        client().eval(_RAISE, 1, hash_key(), *arguments)
    except redis.RedisError as error:
        logger.warning("revisions not announced: %s", error)
    return values


def announce_after_commit() -> None:
    """Announce once the surrounding transaction (if any) has committed."""
    run_on_commit = transaction.get_connection().run_on_commit
    if not any(function is _announce for _, function, _ in run_on_commit):
        transaction.on_commit(_announce)


def _announce() -> None:
    announce_all()


def watch_sql(table: str, name: str, columns: str = "") -> str:
    """Return SQL for a migration: any committed change of `table` raises revision `name`.

    `columns` limits updates to those columns (comma-separated), so that counters can be refreshed in place.
    """
    of = f" OF {columns}" if columns else ""
    return f"""
        INSERT INTO catalog_revision (name, value) VALUES ('{name}', 1) ON CONFLICT DO NOTHING;
        CREATE TRIGGER {table}_revision AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE{of} ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION raise_revision('{name}');
    """  # noqa: S608 -- names are literals of migrations


RAISE_REVISION_SQL = """
    CREATE OR REPLACE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE catalog_revision SET value = value + 1 WHERE name = TG_ARGV[0];
        RETURN NULL;
    END $$;
"""
