"""A CSV file with a header, as numbered rows of cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from catalog.datasets.files import DatasetFile
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import Problem, Problems, shown


class Table:
    """Rows of a CSV file. Iterating yields (row, cells): the row's last line, and one cell a header column.

    Rows with another number of cells, or broken quoting, are reported and left out; empty lines are left out. When the
    header lacks one of `required`, repeats a column, or has one that is neither required nor in `optional`, that is
    reported and there are no rows.
    """

    def __init__(
        self, file: DatasetFile, problems: Problems, *, required: Sequence[str], optional: Sequence[str] = ()
    ) -> None:
        self.file, self.problems = file, problems
        self.lines = TextLines(file, problems)
        self.required, self.optional = required, optional
        self._reader = csv.reader(iter(self.lines), strict=True)
        self.columns = self._header()
        """The header's names in order; empty when the header is wrong."""

    def _header(self) -> list[str]:
        problems_before = self.problems.total
        try:
            header = [name.strip() for name in next(self._reader, [])]
        except csv.Error as error:
            self._refuse(f"broken quoting: {error}", "row_invalid")
            return []
        if self.problems.total > problems_before:
            return []
        expected = ",".join(self.required) + "".join(f"[,{name}]" for name in self.optional)
        missing = [name for name in self.required if name not in header]
        unknown = [name for name in header if name not in self.required and name not in self.optional]
        repeated = sorted({name for name in header if header.count(name) > 1})
        for names, what in ((missing, "lacks"), (unknown, "has the unknown column"), (repeated, "repeats")):
            if names:
                message = f"the header {what} {shown(', '.join(names))}; expected {expected}"
                self._refuse(message, "header_invalid", shown(",".join(header)))
                return []
        return header

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        if not self.columns:
            return
        width, lines, reader = len(self.columns), self.lines, self._reader
        while True:
            try:
                for cells in reader:
                    if len(cells) == width:
                        yield lines.row, cells
                    elif cells:
                        message = f"{len(cells)} columns, but the header has {width}"
                        self._refuse(message, "row_invalid", shown(",".join(cells)))
                return
            except csv.Error as error:
                self._refuse(f"broken quoting: {error}", "row_invalid")

    def _refuse(self, message: str, code: str, value: str = "") -> None:
        self.problems.add(Problem(file=self.file.name, row=self.lines.row, code=code, message=message, value=value))
