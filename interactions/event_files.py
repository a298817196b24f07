"""The events as files of Parquet in a folder, on this machine or in an object store: what training on Spark may read
instead of Postgres.

One file a partition of the table and of its name, with the columns of COLUMNS: names and times as the API has them, so
that a folder which others fill, such as a sink of Kafka's, is read as well. A file is there whole or not at all.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import fsspec
from django.db import connection
from psycopg import sql

logger = logging.getLogger(__name__)

COLUMNS = {
    "user_id": "string",
    "item_id": "string",
    "event_type": "string",
    "occurred_at": "timestamp of microseconds, UTC",
    "value": "double or null",
}
BLOCK_BYTES = 16 << 20
"""Of text that is turned into columns at once."""
SUFFIX = ".parquet"

_PARTITIONS = "SELECT relid::regclass::text FROM pg_partition_tree('interactions_event') WHERE isleaf ORDER BY 1"
_EVENTS = """
    COPY (
        SELECT person.user_id, item.item_id, kind.name,
            (extract(epoch FROM event.occurred_at) * 1000000)::bigint, event.value
        FROM {partition} event
        JOIN interactions_userprofile person ON person.id = event.user_id AND person.consent = 'granted'
        JOIN catalog_item item ON item.id = event.item_id
        JOIN interactions_eventtype kind ON kind.id = event.event_type_id
    ) TO STDOUT (FORMAT csv, FORCE_QUOTE (user_id, item_id, name))
"""


class NotExported(Exception):
    """The folder cannot be written to, or a library is missing; the message says what to do."""


def export(folder: str, progress: Callable[[str, int], None] = lambda name, events: None) -> int:
    """Write all events of people who consent, and delete the files of partitions that are gone. Returns how many.

    Parameters
    ----------
    folder
        A path, or an address of fsspec's: s3://bucket/events, gs://…, abfs://…
    progress
        Called after each partition with its name and its number of events.

    Raises
    ------
    NotExported
        Files that were written before are whole, and stay.
    """
    try:
        pyarrow = import_module("pyarrow")
        files, root = fsspec.core.url_to_fs(folder)
    except (ImportError, ValueError) as error:
        raise NotExported(f"{error}. Parquet needs pip install 'recsite[spark]', a store its own extra.") from error
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS)
        partitions = [name for (name,) in cursor.fetchall()]
    total = 0
    try:
        files.makedirs(root, exist_ok=True)
        for name in partitions:
            events = _write(pyarrow, files, f"{root}/{name.rpartition('.')[2]}", name)
            progress(name, events)
            total += events
        _delete_others(files, root, {f"{name.rpartition('.')[2]}{SUFFIX}" for name in partitions})
    except OSError as error:
        raise NotExported(f"{folder} cannot be written to: {error}") from error
    return total


def _write(pyarrow: Any, files: Any, path: str, partition: str) -> int:
    """Write one partition beside its place, then put it there; return the number of events."""
    schema = pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in ("user_id", "item_id", "event_type")),
            ("occurred_at", pyarrow.timestamp("us", tz="UTC")),
            ("value", pyarrow.float64()),
        ]
    )
    folder, _, name = path.rpartition("/")
    # What begins with a dot Spark leaves out.
    unfinished, events = f"{folder}/.{name}{SUFFIX}", 0
    try:
        with (
            files.open(unfinished, "wb") as target,
            import_module("pyarrow.parquet").ParquetWriter(target, schema, compression="zstd") as writer,
        ):
            for batch in _batches(pyarrow, partition):
                writer.write_table(pyarrow.Table.from_batches([batch]).cast(schema))
                events += batch.num_rows
        if events:
            files.mv(unfinished, f"{path}{SUFFIX}")
        elif files.exists(f"{path}{SUFFIX}"):
            files.rm(f"{path}{SUFFIX}")
    finally:
        if files.exists(unfinished):
            files.rm(unfinished)
    return events


def _batches(pyarrow: Any, partition: str) -> Iterator[Any]:
    """Yield the events as record batches of text, numbers of microseconds and values."""
    csv = import_module("pyarrow.csv")
    names = list(COLUMNS)
    types = dict(zip(names, [*(pyarrow.string() for _ in range(3)), pyarrow.int64(), pyarrow.float64()], strict=True))
    statement = sql.SQL(_EVENTS).format(partition=sql.Identifier(*partition.split(".")))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        rows = _Text(iter(copy))
        if rows.is_empty():
            return
        with csv.open_csv(
            io.BufferedReader(rows, BLOCK_BYTES),
            read_options=csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=types, null_values=[""], strings_can_be_null=False, quoted_strings_can_be_null=False
            ),
        ) as reader:
            yield from reader


class _Text(io.RawIOBase):
    """What COPY sends, as a file to read."""

    def __init__(self, blocks: Iterator[bytes | memoryview]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def is_empty(self) -> bool:
        """Return whether nothing is left to read."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return True
            self._rest = memoryview(block)
        return False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.is_empty():
            return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _delete_others(files: Any, root: str, kept: set[str]) -> None:
    for path in files.ls(root, detail=False):
        name = path.rstrip("/").rpartition("/")[2]
        if name.startswith("interactions_event_") and name.endswith(SUFFIX) and name not in kept:
            files.rm(path)
            logger.info("deleted %s: its partition is gone", path)
