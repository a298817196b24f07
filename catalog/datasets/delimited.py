"""Items of a CSV data set: `items.csv`, or a single file whose header is an items header."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import msgspec

from catalog.datasets.files import Dataset, DatasetFile
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import Problems
from catalog.datasets.table import Table
from catalog.records import ITEM_FIELDS, InvalidItem, ItemRecord, item_record

REQUIRED = ("item_id", "title")
OPTIONAL = tuple(name for name in ITEM_FIELDS if name not in REQUIRED)
_LISTS = ("tags", "creators", "countries")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def find_file(dataset: Dataset, *, events: bool) -> DatasetFile | None:
    """Return `events.csv` or `items.csv`, or the only CSV when its header says it is the one asked for."""
    named = dataset.files.get("events.csv" if events else "items.csv")
    other = dataset.files.get("items.csv" if events else "events.csv")
    if named is not None or other is not None:
        return named
    file = dataset.only(".csv")
    if file is None:
        return None
    header = next(csv.reader(iter(TextLines(file, Problems()))), [])
    return file if ("user_id" in [name.strip() for name in header]) == events else None


def read_items(dataset: Dataset, problems: Problems) -> Iterator[tuple[str, int, ItemRecord]]:
    """Yield (file, row, record) of every item; broken rows go to `problems`.

    Lists are separated by `|`, `attributes` is JSON, flags are true/false, an empty cell is empty or null. Columns that
    the file does not have stay as they are on existing items.
    """
    file = find_file(dataset, events=False)
    if file is None:
        return
    table = Table(file, problems, required=REQUIRED, optional=OPTIONAL)
    for row, cells in table:
        try:
            yield file.name, row, item_record(_fields(dict(zip(table.columns, cells, strict=True))))
        except InvalidItem as error:
            problems.add_item(file.name, row, error)


def _fields(cells: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = dict(cells)
    for name in _LISTS:
        if name in fields:
            fields[name] = [entry for entry in cells[name].split("|") if entry]
    if "duration_minutes" in fields:
        fields["duration_minutes"] = _minutes(cells["duration_minutes"])
    if "is_active" in fields:
        flag = cells["is_active"].strip().lower()
        if flag not in _FLAGS:
            raise InvalidItem("type", "is_active", "is_active must be true or false", cells["is_active"])
        fields["is_active"] = _FLAGS[flag]
    if "attributes" in fields:
        try:
            fields["attributes"] = msgspec.json.decode(cells["attributes"] or "{}")
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            message = f"attributes is not JSON: {error}"
            raise InvalidItem("json_invalid", "attributes", message, cells["attributes"]) from error
    return fields


def _minutes(cell: str) -> int | None:
    if not cell.strip():
        return None
    try:
        return int(cell)
    except ValueError as error:
        raise InvalidItem("type", "duration_minutes", "duration_minutes must be a whole number", cell) from error
