"""Events for Spark from files of Parquet (`interactions.event_files`), on a disk or in an object store.

Who somebody is and which items there are is Postgres' to say, read by many tasks at once: events of people who are
unknown, erased or do not consent, and of items that are gone, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray

from interactions.event_files import COLUMNS
from interactions.event_types import EventTypes
from interactions.training_weights import WeightTable
from recommender.exceptions import EngineFailed
from recommender.training import stored_events
from recommender.training.dataset import known_events
from recommender.training.engines import spark_reading

if TYPE_CHECKING:
    import pyarrow

KEYS_A_TASK = 200_000
"""At least, of people or items."""
NAMED = "name string, pk long"
FOUND = "user long, item long, type int, microseconds long, value double"

Batches = Iterable["pyarrow.RecordBatch"]
People = "SELECT user_id, id FROM interactions_userprofile WHERE consent = 'granted' AND id BETWEEN %s AND %s"
Items = "SELECT item_id, id FROM catalog_item WHERE id BETWEEN %s AND %s"


def events(session: Any, folder: str, types: EventTypes, item_pks: Callable[[], NDArray[np.int64]]) -> Any:
    """Return a table of `spark_reading.COLUMNS`.

    Raises
    ------
    EngineFailed
        The files lack a column.
    """
    functions = import_module("pyspark.sql.functions")
    files = session.read.parquet(folder)
    if missing := [name for name in COLUMNS if name not in files.columns]:
        raise EngineFailed(f"{folder} lacks {', '.join(missing)}; the files' columns are {', '.join(COLUMNS)}.")
    kinds = session.createDataFrame(list(types.id_by_name.items()), "event_type string, type int")
    people, items = (_named(session, table, query) for table, query in _TABLES.items())
    found = (
        files.join(functions.broadcast(kinds), "event_type")
        .join(people.withColumnsRenamed({"name": "user_id", "pk": "user"}), "user_id")
        .join(items.withColumnsRenamed({"name": "item_id", "pk": "item"}), "item_id")
    )
    moment = functions.unix_micros(functions.col("occurred_at").cast("timestamp"))
    found = found.select("user", "item", "type", moment.alias("microseconds"), functions.col("value").cast("double"))
    weights = WeightTable(weights=types.weights, liked_from=types.liked_from)
    return found.mapInArrow(_weighed(item_pks, weights), spark_reading.COLUMNS)


_TABLES = {"interactions_userprofile": People, "catalog_item": Items}


def _named(session: Any, table: str, query: str) -> Any:
    """Return a table of NAMED, read in ranges of primary keys."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM {table}")  # noqa: S608 -- of _TABLES
        least, most = cursor.fetchone()
    ranges = [(low, low + KEYS_A_TASK - 1) for low in range(least, most + 1, KEYS_A_TASK)]
    tasks = min(len(ranges), 4 * max(int(session.sparkContext.defaultParallelism), 1))
    spans = session.createDataFrame(ranges, "first long, last long").repartition(tasks)
    return spans.mapInArrow(_names(spark_reading.address(), query), NAMED)


def _names(address: str, query: str) -> Callable[[Batches], Iterator[pyarrow.RecordBatch]]:
    def read(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        spans = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
        if not spans:
            return
        with psycopg.connect(address) as own:
            for span in spans:
                names, pks = zip(*own.execute(query.encode(), span).fetchall(), strict=True) or ((), ())
                columns = [pyarrow.array(names, pyarrow.string()), pyarrow.array(pks, pyarrow.int64())]
                yield pyarrow.RecordBatch.from_arrays(columns, names=["name", "pk"])

    return read


def _weighed(
    item_pks: Callable[[], NDArray[np.int64]], weights: WeightTable
) -> Callable[[Batches], Iterator[pyarrow.RecordBatch]]:
    def weigh(batches: Batches) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            piece = np.empty(batch.num_rows, dtype=stored_events.PACKED)
            column = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}
            for name in ("user", "item", "type", "value"):
                piece[name] = column[name]
            piece["occurred_at"] = column["microseconds"] - stored_events.EPOCH * 1_000_000
            yield spark_reading.batch(known_events(piece, item_pks(), weights.weights_of))

    return weigh
