"""Which format a data set has, told by its file names, and who reads its items."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catalog.datasets import delimited, json_lines, movielens
from catalog.datasets.files import Dataset
from catalog.datasets.problems import DatasetError, Problems
from catalog.records import ItemRecord

ItemReader = Callable[[Dataset, Problems], Iterator[tuple[str, int, ItemRecord]]]

ITEM_READERS: dict[str, ItemReader] = {
    "movielens": movielens.read_items,
    "jsonl": json_lines.read_items,
    "csv": delimited.read_items,
}
FORMATS = tuple(ITEM_READERS)
EXPECTED = {
    "movielens": "movies.csv and ratings.csv (or movies.dat and ratings.dat)",
    "jsonl": "items.jsonl and events.jsonl, or a single .jsonl",
    "csv": "items.csv and events.csv, or a single .csv",
}


def detect(dataset: Dataset) -> str:
    """Return the format's name.

    Raises
    ------
    DatasetError
        When no known file is there.
    """
    names = set(dataset.files)
    if names & {"movies.csv", "ratings.csv", "movies.dat", "ratings.dat"}:
        return "movielens"
    if names & {"items.jsonl", "events.jsonl", "items.ndjson", "events.ndjson"} or dataset.only(*json_lines.SUFFIXES):
        return "jsonl"
    if names & {"items.csv", "events.csv"} or dataset.only(".csv"):
        return "csv"
    found = ", ".join(sorted(names)[:10]) or "no files"
    expected = "; ".join(f"{name}: {files}" for name, files in EXPECTED.items())
    raise DatasetError(f"{dataset.name} is no known data set: it holds {found}. Expected {expected}")
