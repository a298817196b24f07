"""Events of a JSON-lines file: `events.jsonl`, or the lines with a `user_id` of a single file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.datasets import json_lines
from catalog.datasets.files import Dataset, DatasetFile
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import Problems
from interactions.datasets.fields import PROGRESS_ROWS, EventRow, Fields, InvalidEvent, Progress

REQUIRED = ("user_id", "item_id", "event_type", "timestamp")
ALLOWED = (*REQUIRED, "value", "event_id", "context", "request_id")


def find(dataset: Dataset) -> DatasetFile | None:
    """Return the file of events, or the single file that may hold some."""
    return json_lines.find_file(dataset, events=True)[0]


def read(file: DatasetFile, fields: Fields, problems: Problems, progress: Progress) -> Iterator[EventRow]:
    """Yield the events of a file; broken lines go to `problems`.

    In a file that is not called `events`, lines without a `user_id` are items, which `catalog.datasets` reads.
    """
    mixed = not file.name.lower().startswith("events.")
    lines = TextLines(file, Problems() if mixed else problems)
    for count, line in enumerate(lines):
        if not count % PROGRESS_ROWS:
            progress(lines.bytes_read)
        given = json_lines.decode_object(line, lines, lines.problems)
        if given is None or (mixed and "user_id" not in given):
            continue
        try:
            yield _event(lines.row, given, fields)
        except InvalidEvent as error:
            problems.add(error.problem(file.name, lines.row, given))


def _event(row: int, given: dict[str, Any], fields: Fields) -> EventRow:
    for name in given:
        if name not in ALLOWED:
            message = f"{name!r} is not a field of an event; allowed: {', '.join(ALLOWED)}"
            raise InvalidEvent("field_unknown", name, message, given[name])
    for name in REQUIRED:
        if given.get(name) is None:
            raise InvalidEvent("field_required", name, f"{name} is missing", None)
    return (
        str(row),
        fields.identifier("user_id", given["user_id"]),
        fields.identifier("item_id", given["item_id"]),
        fields.event_type(given["event_type"]),
        fields.moment(given["timestamp"]),
        fields.value_of_number(given.get("value")),
        fields.uuid("event_id", given.get("event_id")),
        fields.context(given.get("context")),
        fields.uuid("request_id", given.get("request_id")),
    )
