"""Items as rows of a CSV file: checked by the rules of `catalog.records`, written as the API writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from import_export.instance_loaders import CachedInstanceLoader
from msgspec import UNSET
from tablib import Dataset

from catalog.importing import upsert_items
from catalog.models import Item
from catalog.records import ITEM_FIELDS, InvalidItem, ItemRecord, item_record
from catalog.spreadsheet_cells import cell, flag, texts, tree
from catalog.spreadsheets import CheckedResource


def _minutes(text: str) -> object:
    # What is no number is left to the record's own check and words.
    return (int(text) if text.isdecimal() else text) if text else None


_READERS: dict[str, Callable[[str], object]] = {
    "tags": texts,
    "creators": texts,
    "countries": texts,
    "duration_minutes": _minutes,
    "is_active": flag,
    "attributes": lambda text: tree(text) if text else {},
}
"""Columns that hold other than texts."""


class ItemResource(CheckedResource):
    """Items by `item_id`. A column left out means "as it is"; an empty cell empties the field."""

    class Meta:
        model = Item
        fields = ITEM_FIELDS
        import_order = ITEM_FIELDS
        export_order = ITEM_FIELDS
        import_id_fields: ClassVar = ["item_id"]
        instance_loader_class = CachedInstanceLoader
        skip_unchanged = True
        name = "items"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.records: dict[str, ItemRecord] = {}
        """What is to be written."""
        self._rows: dict[str, int] = {}

    def export_field(self, field: Any, instance: Item, **options: Any) -> str:
        """Return one cell."""
        return cell(getattr(instance, field.attribute))

    def import_instance(self, instance: Item, row: Mapping[str, str], **options: Any) -> None:
        """Give the item what the row says; ValidationError with the column that is wrong."""
        record = _record(instance, row)
        first = self._rows.setdefault(record.item_id, options["row_number"])
        if first != options["row_number"]:
            raise ValidationError({"item_id": f"item_id {record.item_id!r} is in row {first} already"})
        for name in ITEM_FIELDS:
            if getattr(record, name) is not UNSET:
                setattr(instance, name, getattr(record, name))
        self.records[record.item_id] = record

    def do_instance_save(self, instance: Item, is_create: bool) -> None:
        """Write nothing yet: `after_import` does, all at once."""

    def after_import(self, dataset: Dataset, result: Any, **options: Any) -> None:
        """Write the items, unless a row was refused."""
        if not (result.has_errors() or result.has_validation_errors()):
            upsert_items(self.records.values())


def _record(instance: Item, row: Mapping[str, str]) -> ItemRecord:
    given: dict[str, Any] = {} if instance.pk is None else {"title": instance.title}
    for name, text in row.items():
        try:
            given[name] = _READERS[name](text) if name in _READERS else text
        except ValueError as error:
            raise ValidationError({name: f"{name} {error}"}) from error
    try:
        return item_record(given)
    except InvalidItem as error:
        raise ValidationError({error.field.partition("[")[0]: error.message}) from error
