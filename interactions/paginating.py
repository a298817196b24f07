"""Pages of a partitioned table, whose size Postgres knows only partition by partition."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from catalog.paginating import COUNT_AT_MOST, EstimatingPaginator
from catalog.postgres import reading


class PartitionedPaginator(EstimatingPaginator):
    """Counts exactly up to a limit; beyond it adds up the statistics of the partitions."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows: exact below `COUNT_AT_MOST`, estimated for a whole table beyond it."""
        exact: int = super().count
        query: Any = self.object_list.query  # type: ignore[attr-defined] # the admin gives query sets
        if exact < COUNT_AT_MOST or query.where:
            return exact
        with reading.connection().cursor() as cursor:
            cursor.execute(
                "SELECT sum(greatest(reltuples, 0)) FROM pg_partition_tree(%s::regclass) JOIN pg_class ON oid = relid",
                [query.model._meta.db_table],
            )
            return max(exact, int(cursor.fetchone()[0] or 0))
