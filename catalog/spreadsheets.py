"""Tables that editors take out of the admin as CSV and bring back, whole or not at all (django-import-export)."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from import_export import resources
from import_export.admin import ImportExportModelAdmin
from import_export.exceptions import ImportExportError
from import_export.formats import base_formats
from import_export.resources import Diff
from import_export.results import Result, RowResult
from tablib import Dataset
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from catalog import redis_store
from catalog.spreadsheet_cells import escaped, unescaped, unknown

MAX_BYTES = 5_000_000
MAX_ROWS = 10_000
"""About 10 s of a web process for items."""
MOST_SHOWN = 200
"""Rows of a preview, or of a report of errors."""
LONGEST_SHOWN = 80
"""Characters of a cell of a preview."""
KEPT_SECONDS = 3600
"""For how long a preview can be confirmed."""


class SafeCsv(base_formats.CSV):  # type: ignore[misc]
    """CSV in UTF-8, with the mark by which spreadsheets know it, without a cell that they would run."""

    def export_data(self, dataset: Dataset, **options: Any) -> str:
        """Return the file's text."""
        safe = Dataset(headers=dataset.headers)
        for row in dataset:
            safe.append([escaped(str(cell)) for cell in row])
        return f"\ufeff{super().export_data(safe, **options)}"

    def create_dataset(self, in_stream: str, **options: Any) -> Dataset:
        """Return the table, every cell as it was before `export_data`; ValueError with a NUL, unfit for Postgres."""
        if "\0" in in_stream:
            raise ValueError("NUL")
        found = super().create_dataset(in_stream, **options)
        plain = Dataset(headers=found.headers)
        for row in found:
            plain.append([unescaped(cell) for cell in row])
        return plain


class RedisStorage:
    """Holds an uploaded file between preview and confirmation, for every web process."""

    def __init__(self, name: str | None = None, encoding: str | None = None, **_: Any) -> None:
        self.name, self._encoding = name or uuid.uuid4().hex, encoding or "utf-8"

    @property
    def _key(self) -> str:
        return redis_store.key("import", str(self.name))

    def save(self, data: bytes) -> None:
        """Keep the file for KEPT_SECONDS."""
        redis_store.client().set(self._key, data, ex=KEPT_SECONDS)

    def read(self) -> str:
        """Return the file's text; ValidationError when it is there no more."""
        data = redis_store.client().get(self._key)
        if not isinstance(data, bytes):
            raise ValidationError("The file is gone: choose it again.")
        return data.decode(self._encoding)

    def remove(self) -> None:
        """Forget the file."""
        redis_store.client().delete(self._key)


class CheckedImportForm(ImportForm):  # type: ignore[misc]
    """A file of bounded size."""

    def clean_import_file(self) -> Any:
        """Refuse a file that is too large."""
        file = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise ValidationError(f"The file has {file.size:,} bytes; at most {MAX_BYTES:,} can be imported at once.")
        return file


class ShortDiff(Diff):  # type: ignore[misc]
    """What a row would change: a letter by letter comparison of 10,000 rows takes minutes."""

    def __init__(self, resource: Any, instance: Any, new: bool) -> None:
        self.left, self.new = _cells(resource, instance), new

    def compare_with(self, resource: Any, instance: Any) -> None:
        """Take what the row would be afterwards."""
        self.right = _cells(resource, instance)

    def as_html(self) -> list[str]:
        """Return the cells, the old value struck out before the new one."""
        return [
            format_html("{}{}", self._old(old) if old != new else "", _short(new))
            for old, new in zip(self.left, self.right, strict=True)
        ]

    def _old(self, text: str) -> str:
        return "" if self.new or not text else format_html("<del>{}</del> → ", _short(text))


class ShortResult(Result):  # type: ignore[misc]
    """Shows the first rows only: a page of 10,000 is of no use to anybody."""

    def valid_rows(self) -> list[RowResult]:
        """Return the rows that the preview shows."""
        return [row for row in self.rows[:MOST_SHOWN] if row.is_valid()]

    def append_invalid_row(self, number: int, row: Any, validation_error: ValidationError) -> None:
        """Keep the first refused rows."""
        if len(self.invalid_rows) < MOST_SHOWN:
            super().append_invalid_row(number, row, validation_error)


class CheckedResource(resources.ModelResource):  # type: ignore[misc]
    """A table whose columns are known, all of whose rows are written or none."""

    most_rows = MAX_ROWS

    def get_diff_class(self) -> type[Diff]:
        """Return how changes are shown."""
        return ShortDiff

    def get_result_class(self) -> type[Result]:
        """Return what becomes of the rows."""
        return ShortResult

    def before_import(self, dataset: Dataset, **options: Any) -> None:
        """Refuse a table that cannot be right as a whole."""
        wrong = unknown(dataset.headers or (), [field.column_name for field in self.get_import_fields()])
        if not wrong and len(dataset) > self.most_rows:
            wrong = f"The file has {len(dataset):,} rows; at most {self.most_rows:,} can be imported at once."
        if wrong:
            # Its rows would be gone through all the same.
            dataset.wipe()
            raise ImportExportError(wrong)

    def import_data(self, dataset: Dataset, *arguments: Any, **options: Any) -> Any:
        """Import all rows or, when one is refused, none."""
        return super().import_data(dataset, *arguments, **options | {"rollback_on_validation_errors": True})


def _cells(resource: Any, instance: Any) -> list[str]:
    return [resource.export_field(field, instance) for field in resource.get_import_fields()]


def _short(text: str) -> str:
    return Truncator(text).chars(LONGEST_SHOWN)


class SpreadsheetAdmin(ImportExportModelAdmin):  # type: ignore[misc]
    """Gives an admin page the import of CSV, for who may add and change, and the export, for who may see."""

    formats: ClassVar = [SafeCsv]
    import_form_class = CheckedImportForm
    export_form_class = ExportForm
    tmp_storage_class = RedisStorage
    skip_admin_log = True
    show_change_form_export = False

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Return whether he may write such rows."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def process_import(self, request: HttpRequest, **options: Any) -> HttpResponseBase:
        """Import what was previewed; say so when it is there no more."""
        try:
            answer: HttpResponseBase = super().process_import(request, **options)
        except ValidationError as error:
            return self._back(request, error.messages)
        return answer

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponseBase:
        """Say what was done; that nothing was when a row is refused now that was not in the preview."""
        if result.has_errors() or result.has_validation_errors():
            return self._back(request, ["Something has changed since the preview: nothing was imported. Try again."])
        answer: HttpResponseBase = super().process_result(result, request)
        return answer

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **options: Any) -> Any:
        """Return the file's text; ValueError when it would be too long."""
        if len(queryset.values_list("pk", flat=True)[: MAX_ROWS + 1]) > MAX_ROWS:
            raise ValueError(f"That is more than {MAX_ROWS:,} rows. Filter or search the list first, then export.")
        return super().get_export_data(file_format, request, queryset, **options)

    def _back(self, request: HttpRequest, reasons: list[str]) -> HttpResponseBase:
        for reason in reasons:
            self.message_user(request, reason, messages.ERROR)
        return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import"))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Return whether he may see them."""
        return bool(self.has_view_permission(request))
