"""Who finds and reads the events of each format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.datasets.files import Dataset, DatasetFile
from catalog.datasets.problems import Problems
from interactions.datasets import delimited, json_lines
from interactions.datasets.fields import EventRow, Fields, Progress


@dataclass(frozen=True, slots=True)
class EventReader:
    """`find` returns the data set's file of events (None: it has none), `read` its events."""

    find: Callable[[Dataset], DatasetFile | None]
    read: Callable[[DatasetFile, Fields, Problems, Progress], Iterator[EventRow]]


EVENT_READERS = {
    "movielens": EventReader(delimited.find_movielens, delimited.read_movielens),
    "jsonl": EventReader(json_lines.find, json_lines.read),
    "csv": EventReader(delimited.find_csv, delimited.read_csv),
}
