"""Events from Postgres by many tasks of Spark at once, all of one moment.

Each task has a connection of its own and reads whole pieces of the table (`stored_events`), packed as a local rebuild
reads them: no JDBC driver is needed, and no row becomes a Python object. What runs in the tasks imports neither
Django's settings nor its models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql
from psycopg.conninfo import make_conninfo

from interactions.training_weights import WeightTable
from recommender.training import stored_events
from recommender.training.dataset import known_events
from recommender.training.stored_events import Span

if TYPE_CHECKING:
    import pyarrow

COLUMNS = "user long, item int, weight float, occurred_at double"
"""Of what `reader` yields: primary key of the user, row of the item, training weight, POSIX seconds."""
CONNECT_SECONDS = 10


@contextmanager
def exported_snapshot() -> Iterator[tuple[str, str]]:
    """Yield an address of Postgres, password included, and the snapshot that is held there while the block lasts."""
    with psycopg.connect(address()) as held:
        held.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        row = held.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101 -- a function without FROM gives one row
        yield address(), str(row[0])


def reader(
    address: str, snapshot: str, item_pks: Callable[[], NDArray[np.int64]], weights: WeightTable
) -> Callable[[Iterable[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    """Return what reads, in a task, the spans (partition, first, last) of its batches and yields batches of COLUMNS.

    `item_pks` gives (items,) ascending primary keys; events on other items are left out.
    """

    def read(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        spans = [Span(**row) for batch in batches for row in batch.to_pylist()]
        if not spans:
            return
        for piece in _pieces(address, snapshot, spans):
            yield batch(known_events(piece, item_pks(), weights.weights_of))

    return read


def batch(columns: Iterable[NDArray[Any]]) -> pyarrow.RecordBatch:
    """Return what `known_events` gives as a batch of COLUMNS."""
    import pyarrow

    names = [column.split()[0] for column in COLUMNS.split(", ")]
    return pyarrow.RecordBatch.from_arrays([pyarrow.array(column) for column in columns], names=names)


def _pieces(address: str, snapshot: str, spans: list[Span]) -> Iterator[NDArray[np.void]]:
    with psycopg.connect(address) as own:
        own.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        own.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
        statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(stored_events.query(spans))
        with own.cursor().copy(statement) as copy:
            copy.set_types(["bytea"])
            for (packed,) in copy.rows():
                yield np.frombuffer(packed, dtype=stored_events.PACKED)


def address() -> str:
    """Return what a task connects to Postgres by, the password included."""
    settings: dict[str, Any] = connection.settings_dict
    given = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    said = {name: settings[key] for name, key in given.items() if settings.get(key)}
    ssl = {name: value for name, value in settings.get("OPTIONS", {}).items() if name.startswith("ssl")}
    return make_conninfo("", **said, **ssl, connect_timeout=CONNECT_SECONDS)
