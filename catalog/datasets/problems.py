"""What is wrong with a data set, by file, row and column: counted in full, kept in part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.records import InvalidItem

SHOWN = 20
"""Problems kept for the report: enough to see the pattern on one screen."""
MAX_VALUE = 100


class DatasetError(Exception):
    """The data set cannot be read at all: wrong path, wrong format, unsafe archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that cannot be stored. `row` is the line in the file, the header being 1; 0 is the whole file."""

    file: str
    row: int
    message: str
    code: str
    column: str = ""
    value: str = ""
    payload: str = ""
    """The refused event as JSON text, ASCII only; "" for anything but an event."""
    item_id: str = ""

    def __str__(self) -> str:
        place = f"{self.file} row {self.row}" if self.row else self.file
        return f"{place}: {self.message}"


@dataclass
class Problems:
    """Collects problems. `on_add` sees each of them, for reports and dead letters."""

    on_add: Callable[[Problem], None] | None = None
    total: int = 0
    first: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Count a problem; keep it when it is among the first."""
        self.total += 1
        if len(self.first) < SHOWN:
            self.first.append(problem)
        if self.on_add is not None:
            self.on_add(problem)

    def counted(self) -> str:
        """Return the number of problems in words."""
        return f"{self.total:,} problem{'' if self.total == 1 else 's'}"

    def add_item(self, file: str, row: int, error: InvalidItem, *, column: str = "") -> None:
        """Count an item that was refused; `column` is the file's name of the field when it differs."""
        self.add(
            Problem(
                file=file,
                row=row,
                code=error.code,
                column=column or error.field.split("[")[0],
                message=error.message,
                value=shown(error.value),
            )
        )


def shown(value: object) -> str:
    """Return `value` as short printable text for a report."""
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
    return text if text.isprintable() else ascii(text)[1:-1]
