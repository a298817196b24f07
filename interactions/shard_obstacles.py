"""What still keeps Citus from spreading the tables of `sharding`, read from Postgres' own catalogue.

The rules are those of Citus' documentation ("Creating and Modifying Distributed Tables", "SQL Support and Workarounds")
and, for triggers, of its source: what it would refuse is found here before, without a server of Citus.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from interactions import sharding


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing to be changed before a table can be distributed."""

    table: str
    """Or one of its partitions."""
    name: str
    """Of the index, constraint, trigger, column or partition."""
    why: str

    def __str__(self) -> str:
        return f"{self.table}: {self.name} {self.why}"


# `mine` is the table and its partitions. What a partition has from its table is told of the table alone. No two of the
# tables lie side by side and none is a reference table, so a foreign key has no other end that would be allowed.
_FIND = """
    WITH tree AS (
        SELECT %(table)s::regclass AS relid, 0 AS level, true AS isleaf
        UNION ALL SELECT relid, level, isleaf FROM pg_partition_tree(%(table)s) WHERE level > 0
    ), mine AS (
        SELECT tree.*, attnum, attnotnull, attname
        FROM tree JOIN pg_attribute ON attrelid = tree.relid AND attname = %(column)s
    )
    SELECT relid::regclass::text, indexrelid::regclass::text, 'is unique without ' || attname
    FROM mine JOIN pg_index ON indrelid = relid
    WHERE (indisunique OR indisexclusion) AND attnum <> ALL ((indkey::int2[])[0:indnkeyatts - 1])
      AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
    UNION ALL
    SELECT conrelid::regclass::text, conname,
        'is a foreign key to ' || confrelid::regclass || ', which lies elsewhere'
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
      AND (conrelid IN (SELECT relid FROM mine) OR confrelid IN (SELECT relid FROM mine))
    UNION ALL
    SELECT relid::regclass::text, tgname, 'is a trigger'
    FROM mine JOIN pg_trigger ON tgrelid = relid WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL
    SELECT relid::regclass::text, rulename, 'is a rule' FROM mine JOIN pg_rewrite ON ev_class = relid
    UNION ALL
    SELECT relid::regclass::text, attname, 'may be NULL' FROM mine WHERE NOT attnotnull
    UNION ALL
    SELECT %(table)s, relid::regclass::text, 'has partitions of its own' FROM mine WHERE level > 0 AND NOT isleaf
    ORDER BY 1, 2
"""


def find() -> list[Obstacle]:
    """Return all of them, [] when the tables can be distributed."""
    found = []
    with connection.cursor() as cursor:
        for wanted in sharding.TABLES:
            cursor.execute(_FIND, {"table": wanted.table, "column": wanted.column})
            found += [Obstacle(*row) for row in cursor.fetchall()]
    return found
