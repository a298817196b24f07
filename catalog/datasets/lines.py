"""Bytes to numbered lines of text; a line that is too long or not UTF-8 is reported and left out."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from catalog.datasets.files import DatasetFile
from catalog.datasets.problems import Problem, Problems

MAX_LINE_BYTES = 1 << 20
"""A megabyte: no item or event is longer, and memory stays bounded whatever the file."""
_WIDE = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


class TextLines:
    """Iterate over a file's lines, line ends included. `row` is the last one's number, `bytes_read` how far it got.

    `fallback` names the encoding of lines that are not UTF-8 (old MovieLens files); without it they are refused.
    """

    def __init__(self, file: DatasetFile, problems: Problems, *, fallback: str = "") -> None:
        self.file, self.problems, self.fallback = file, problems, fallback
        self.row = 0
        self.bytes_read = 0

    def __iter__(self) -> Iterator[str]:
        with self.file.open() as stream:
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                self.row += 1
                self.bytes_read += len(raw)
                if self.row == 1:
                    if raw[:2] in _WIDE:
                        self._refuse("encoding_invalid", f"the file is {_WIDE[raw[:2]]}; save it as UTF-8")
                        return
                    raw = raw.removeprefix(codecs.BOM_UTF8)
                if len(raw) > MAX_LINE_BYTES:
                    self._refuse("line_too_long", f"the line is longer than {MAX_LINE_BYTES:,} bytes")
                    while raw and not raw.endswith(b"\n"):
                        raw = stream.readline(MAX_LINE_BYTES)
                        self.bytes_read += len(raw)
                    continue
                try:
                    yield raw.decode()
                except UnicodeDecodeError as error:
                    if self.fallback:
                        yield raw.decode(self.fallback)
                        continue
                    bad = raw[error.start : error.start + 4]
                    self._refuse(
                        "encoding_invalid",
                        f"byte {bad[0]:#04x} is not UTF-8 (Latin-1 or Windows-1252?); save it as UTF-8",
                    )

    def _refuse(self, code: str, message: str) -> None:
        self.problems.add(Problem(file=self.file.name, row=self.row, code=code, message=message))
