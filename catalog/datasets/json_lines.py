"""Items of a JSON-lines data set: `items.jsonl`, or the lines without a `user_id` of a single file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from catalog.datasets.files import Dataset, DatasetFile
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import Problem, Problems, shown
from catalog.records import InvalidItem, ItemRecord, item_record

SUFFIXES = (".jsonl", ".ndjson")


def find_file(dataset: Dataset, *, events: bool) -> tuple[DatasetFile | None, bool]:
    """Return the file to read and whether it mixes items and events."""
    wanted, other = ("events", "items") if events else ("items", "events")
    for suffix in SUFFIXES:
        if named := dataset.files.get(wanted + suffix):
            return named, False
    if any(other + suffix in dataset.files for suffix in SUFFIXES):
        return None, False
    return dataset.only(*SUFFIXES), True


def read_items(dataset: Dataset, problems: Problems) -> Iterator[tuple[str, int, ItemRecord]]:
    """Yield (file, row, record) of every item; broken rows go to `problems`. Empty lines are left out."""
    file, mixed = find_file(dataset, events=False)
    if file is None:
        return
    lines = TextLines(file, problems)
    for line in lines:
        fields = decode_object(line, lines, problems)
        if fields is None or (mixed and "user_id" in fields):
            continue
        try:
            yield file.name, lines.row, item_record(fields)
        except InvalidItem as error:
            problems.add_item(file.name, lines.row, error)


def decode_object(line: str, lines: TextLines, problems: Problems) -> dict[str, Any] | None:
    """Return the JSON object of a line; None, and a problem unless the line is empty, when it is none."""
    if not line.strip():
        return None
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        code, message = "json_invalid", f"not JSON: {error}"
    else:
        if isinstance(value, dict):
            return value
        code, message = "type", f"expected a JSON object, got {shown(value)}"
    problems.add(Problem(file=lines.file.name, row=lines.row, code=code, message=message, value=shown(line.strip())))
    return None
