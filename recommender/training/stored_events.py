"""The stored events as arrays, straight from Postgres: no Python object a row, and memory for one piece at a time.

COPY sends every row in a message of its own, which becomes a Python object whatever is done with it; so Postgres packs
the rows of some thousand pages into one value first. Two million events took 2.1 to 2.5 s that way, 4.8 to 9.0 s as
rows. One statement reads them all, and so sees one moment of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

PAGES = 4_000
"""Pages (8 kB) of a piece: some 300,000 events, packed into 10 MB."""
PACKED = np.dtype([("user", ">i8"), ("item", ">i8"), ("type", ">i4"), ("occurred_at", ">i8"), ("value", ">f8")])
"""One event: primary keys, microseconds since 2000 (as Postgres keeps moments), and its value (nan = none)."""
EPOCH = 946_684_800
"""2000-01-01 00:00 UTC in POSIX seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Pages of one partition."""

    partition: str
    """Its name, with its schema unless that is in the search path."""
    first: int
    """Page number, a multiple of PAGES."""
    last: int
    """Page number; the piece that it lies in is read whole."""

    @property
    def pieces(self) -> int:
        """How many pieces it is read in, at most."""
        return (self.last - self.first) // PAGES + 1

    def split(self) -> list[Span]:
        """Return its pieces, each a span of its own."""
        starts = range(self.first, self.last + 1, PAGES)
        return [Span(partition=self.partition, first=start, last=start) for start in starts]


_PARTITIONS = """
    SELECT tree.relid::regclass::text, pg_relation_size(tree.relid) / current_setting('block_size')::int
    FROM pg_partition_tree('interactions_event') AS tree WHERE tree.isleaf ORDER BY 1
"""
# A range of tuple identifiers reads just these pages (a TID range scan), whatever the table's size.
_PIECES = """
    SELECT packed FROM generate_series({first}, {last}, {pages}) AS page CROSS JOIN LATERAL (
        SELECT string_agg(
            int8send(user_id) || int8send(item_id) || int4send(event_type_id::int4)
            || timestamptz_send(occurred_at) || float8send(coalesce(value, 'NaN'::float8)), ''::bytea
        ) AS packed
        FROM {partition}
        WHERE ctid >= format('(%s,0)', page)::tid AND ctid < format('(%s,0)', page + {pages})::tid
    ) AS piece WHERE packed IS NOT NULL
"""


def pieces(progress: Callable[[int, int], None] = lambda done, total: None) -> Iterator[NDArray[np.void]]:
    """Yield all events, in no order, as arrays of PACKED.

    Parameters
    ----------
    progress
        Called before each piece with the number of pieces so far and how many there are at most.
    """
    with connection.cursor() as cursor:
        whole = spans(cursor)
        if not whole:
            return
        done, total = 0, sum(span.pieces for span in whole)
        with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query(whole))) as copy:
            copy.set_types(["bytea"])
            for (packed,) in copy.rows():
                progress(done, total)
                yield np.frombuffer(packed, dtype=PACKED)
                done += 1


def spans(cursor: Any) -> list[Span]:
    """Return all partitions that hold anything, whole."""
    cursor.execute(_PARTITIONS)
    return [Span(partition=name, first=0, last=pages - 1) for name, pages in cursor.fetchall() if pages]


def query(parts: Sequence[Span]) -> sql.Composed:
    """Return the statement that packs the pieces of one or more spans."""
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(_PIECES).format(
            first=sql.Literal(part.first),
            last=sql.Literal(part.last),
            pages=sql.Literal(PAGES),
            partition=sql.Identifier(*part.partition.split(".")),
        )
        for part in parts
    )
