"""Events of separated files: `events.csv`, and MovieLens' ratings in both layouts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from catalog.datasets import delimited, movielens
from catalog.datasets.files import Dataset, DatasetFile
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import Problems
from catalog.datasets.table import Table
from interactions.datasets.fields import PROGRESS_ROWS, EventRow, Fields, InvalidEvent, Progress

REQUIRED = ("user_id", "item_id", "timestamp")
OPTIONAL = ("value", "event_type", "event_id")
RATING = "rating"
WITHOUT_VALUE = "watch"
"""Type of an event that names none: a rating when it has a value, else this."""
_MOVIELENS = {"user_id": "userId", "item_id": "movieId", "value": "rating", "timestamp": "timestamp"}


def find_movielens(dataset: Dataset) -> DatasetFile | None:
    """Return the file of ratings."""
    return dataset.files.get("ratings.csv") or dataset.files.get("ratings.dat")


def read_movielens(file: DatasetFile, fields: Fields, problems: Problems, progress: Progress) -> Iterator[EventRow]:
    """Yield every rating as an event of type `rating`; broken rows go to `problems`."""
    lines, rows = movielens.rows_of(file, problems, list(_MOVIELENS.values()))
    columns = {name: place for place, name in enumerate(_MOVIELENS)}
    return _Reader(lines, columns, fields, problems, progress, shown_as=_MOVIELENS, value_required=True).read(rows)


def find_csv(dataset: Dataset) -> DatasetFile | None:
    """Return the file of events."""
    return delimited.find_file(dataset, events=True)


def read_csv(file: DatasetFile, fields: Fields, problems: Problems, progress: Progress) -> Iterator[EventRow]:
    """Yield the events of a CSV file; broken rows go to `problems`."""
    table = Table(file, problems, required=REQUIRED, optional=OPTIONAL)
    columns = {name: place for place, name in enumerate(table.columns)}
    return _Reader(table.lines, columns, fields, problems, progress).read(table)


class _Reader:
    """Turns cells into events. `columns` says which cell holds which field."""

    def __init__(
        self,
        lines: TextLines,
        columns: Mapping[str, int],
        fields: Fields,
        problems: Problems,
        progress: Progress,
        *,
        shown_as: Mapping[str, str] | None = None,
        value_required: bool = False,
    ) -> None:
        self.lines, self.columns, self.fields, self.problems = lines, columns, fields, problems
        self.progress, self.shown_as, self.value_required = progress, shown_as or {}, value_required

    def read(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[EventRow]:
        # Names are local and ids looked up in place: this loop runs for every event of an import.
        columns, fields = self.columns, self.fields
        known, identifier, moment, value_of = fields.known, fields.identifier, fields.moment, fields.value_of_text
        user, item, timestamp = (columns.get(name, -1) for name in REQUIRED)
        value, event_type, event_id = (columns.get(name, -1) for name in OPTIONAL)
        value_column = self.shown_as.get("value", "value")
        for row, cells in rows:
            try:
                user_id, item_id = cells[user], cells[item]
                if user_id not in known:
                    identifier("user_id", user_id)
                if item_id not in known:
                    identifier("item_id", item_id)
                number = value_of(cells[value], value_column) if value >= 0 else ""
                if event_type >= 0 and cells[event_type]:
                    kind = fields.event_type(cells[event_type])
                else:
                    kind = RATING if number else WITHOUT_VALUE
                    if self.value_required and not number:
                        raise InvalidEvent("field_required", "value", f"{value_column} is empty", "")
                identity = fields.uuid("event_id", cells[event_id]) if event_id >= 0 else ""
                yield str(row), user_id, item_id, kind, moment(cells[timestamp]), number, identity, "", ""
            except InvalidEvent as error:
                given = {name: cells[place] for name, place in columns.items() if cells[place]}
                shown_as = self.shown_as.get(error.field, error.field)
                self.problems.add(error.problem(self.lines.file.name, row, given, shown_as))
            if not row % PROGRESS_ROWS:
                self.progress(self.lines.bytes_read)
