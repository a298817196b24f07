"""Pages of a list that may have millions of rows, without counting them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

from catalog.postgres import reading

COUNT_AT_MOST = 10_000
"""Rows that are counted exactly, in a few milliseconds; nobody turns to page 100 of a filtered list."""


class EstimatingPaginator(Paginator):  # type: ignore[type-arg] # not subscriptable when running
    """Takes a whole large table's size from Postgres' statistics and counts a filtered one up to a limit.

    The estimate is as fresh as the last ANALYZE, which autovacuum runs.
    """

    @cached_property
    def count(self) -> int:
        """Return the number of rows: exact up to `COUNT_AT_MOST`, estimated for a whole table beyond it."""
        query: Any = self.object_list.query  # type: ignore[attr-defined] # the admin gives query sets
        counted = query.chain()
        counted.clear_ordering(force=True)
        counted.set_limits(high=COUNT_AT_MOST)
        exact: int = counted.get_count(using=reading.alias())
        if exact < COUNT_AT_MOST or query.where:
            return exact
        with reading.connection().cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [query.model._meta.db_table])
            return max(exact, int(cursor.fetchone()[0]))
