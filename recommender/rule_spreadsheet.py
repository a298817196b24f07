"""Rules with their items and conditions as rows of a CSV file: checked by the form of admin, saved as drafts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from import_export import fields
from import_export.instance_loaders import BaseInstanceLoader
from tablib import Dataset

from catalog.queries import pks_by_item_id
from catalog.spreadsheet_cells import cell, flag, texts, tree
from catalog.spreadsheets import CheckedResource
from recommender import placement_access
from recommender.models import Placement, Rule, RuleClause, RuleItem
from recommender.rule_forms import FORM_FIELDS, OF_PARTS, RuleForm, errors_of

COLUMNS = ("id", *RuleForm.base_fields, "item_ids", "conditions")
"""`id` is empty for a new rule; `conditions` are JSON: field, operator and values."""
PARTS = {"items": "item_ids", "where": "conditions"}
CLAUSE = {"field", "operator", "values"}
LONGEST_ID = 18
"""Digits of what fits a key of the database."""


class RuleLoader(BaseInstanceLoader):  # type: ignore[misc]
    """The rules that a file names, with what hangs on them, in four queries."""

    def __init__(self, resource: Any, dataset: Dataset) -> None:
        super().__init__(resource, dataset)
        given = dataset["id"] if "id" in (dataset.headers or ()) else []
        rules = Rule.objects.prefetch_related("picked__item", "clauses", "placements")
        self._rules = rules.in_bulk([int(text) for text in given if text.isdecimal() and len(text) <= LONGEST_ID])

    def get_instance(self, row: Mapping[str, str]) -> Rule | None:
        """Return the rule of a row, None when it is to be a new one or there is none."""
        text = row.get("id", "")
        return self._rules.get(int(text)) if text.isdecimal() else None


class RuleResource(CheckedResource):
    """Rules by `id`. A column left out means "as it is", for a new rule what the form starts with."""

    item_ids = fields.Field(column_name="item_ids", attribute="item_ids")
    conditions = fields.Field(column_name="conditions", attribute="conditions")
    most_rows = 1_000

    class Meta:
        model = Rule
        fields = COLUMNS
        import_order = COLUMNS
        export_order = COLUMNS
        import_id_fields: ClassVar = ["id"]
        instance_loader_class = RuleLoader
        name = "rules"

    def get_queryset(self) -> Any:
        """Bring along what hangs on the rules."""
        return super().get_queryset().prefetch_related("picked__item", "clauses", "placements")

    def before_import(self, dataset: Dataset, **options: Any) -> None:
        """Read what the rows refer to, all at once."""
        super().before_import(dataset, **options)
        user = options.get("user")
        closed = placement_access.closed_to(user) if user is not None else {}
        self._form = type("RuleFormOfUser", (RuleForm,), {"closed": closed})
        self._placements = dict(Placement.objects.values_list("name", "pk"))
        named = {item_id for text in _column(dataset, "item_ids") for item_id in _texts_or_none(text)}
        self._items = pks_by_item_id(named)
        self._rows: dict[int, int] = {}

    def export_field(self, field: Any, instance: Rule, **options: Any) -> str:
        """Return one cell: as the file has it, once it was imported."""
        cells: Mapping[str, str] = getattr(instance, "cells", None) or _cells(instance)
        return cells[field.column_name]

    def import_instance(self, instance: Rule, row: Mapping[str, str], **options: Any) -> None:
        """Give the rule what the row says; ValidationError with the columns that are wrong."""
        self._check_id(instance, row, options["row_number"])
        before = _cells(instance)
        cells = {**before, **row}
        errors: dict[str, list[str]] = {}
        form = self._form(self._data(cells, errors), instance=instance)
        if not form.is_valid():
            errors = {name: [str(one) for one in found] for name, found in form.errors.items()} | errors
        parts = self._parts(cells, errors)
        if not errors:
            found = errors_of(instance, *parts)
            errors = {PARTS.get(part, FORM_FIELDS.get(part, part)): [found[part]] for part in OF_PARTS if part in found}
        if errors:
            raise ValidationError(errors)
        self._pending = form, *parts
        instance.cells = cells | {"id": before["id"]}  # type: ignore[attr-defined] # for the diff
        instance.has_news = instance.pk is None or instance.cells != before  # type: ignore[attr-defined]

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        """Return whether the rule is as the row has it."""
        return not import_validation_errors and not instance.has_news

    def do_instance_save(self, instance: Rule, is_create: bool) -> None:
        """Write the rule with its items and conditions."""
        form, items, clauses = self._pending
        rule = form.save()
        RuleItem.objects.filter(rule=rule).delete()
        RuleClause.objects.filter(rule=rule).delete()
        RuleItem.objects.bulk_create(RuleItem(rule=rule, item_id=pk, order=order) for order, pk in enumerate(items))
        for clause in clauses:
            clause.rule = rule
        RuleClause.objects.bulk_create(clauses)

    def save_m2m(self, instance: Rule, row: Any, **options: Any) -> None:
        """Do nothing: the form has saved the placements."""

    def _check_id(self, instance: Rule, row: Mapping[str, str], number: int) -> None:
        if not instance.pk:
            if row.get("id"):
                raise ValidationError({"id": f"There is no rule {row['id'][:100]!r}; leave id empty to add one."})
            return
        first = self._rows.setdefault(instance.pk, number)
        if first != number:
            raise ValidationError({"id": f"Rule {instance.pk} is in row {first} already."})

    def _data(self, cells: Mapping[str, str], errors: dict[str, list[str]]) -> dict[str, Any]:
        """Return what a browser would have sent; what cannot even be that goes to `errors`."""
        data: dict[str, Any] = {}
        for name, field in RuleForm.base_fields.items():
            try:
                data[name] = self._value(name, field, cells[name])
            except ValueError as error:
                errors[name] = [f"{name} {error}"]
        return data

    def _value(self, name: str, field: forms.Field, text: str) -> Any:
        if isinstance(field, forms.BooleanField):
            return flag(text)
        if isinstance(field, SimpleArrayField):
            return field.delimiter.join(texts(text))
        if isinstance(field, forms.ModelMultipleChoiceField):
            names = texts(text)
            strange = [one for one in names if one not in self._placements]
            if strange:
                raise ValueError(f"has none called {strange[0]!r}; there are: {', '.join(self._placements)}")
            return [self._placements[one] for one in names]
        return texts(text) if isinstance(field, forms.MultipleChoiceField) else text

    def _parts(self, cells: Mapping[str, str], errors: dict[str, list[str]]) -> tuple[list[int], list[RuleClause]]:
        """Return keys of the items and the conditions."""
        items, clauses = [], []
        try:
            for item_id in texts(cells["item_ids"]):
                if item_id not in self._items:
                    raise ValueError(f"has no item {item_id!r} in the catalogue")
                items.append(self._items[item_id])
            if len(set(items)) < len(items):
                raise ValueError("has an item twice")
        except ValueError as error:
            errors["item_ids"] = [f"item_ids {error}"]
        try:
            clauses = _clauses(cells["conditions"])
        except (ValueError, TypeError):
            errors["conditions"] = [
                'conditions must be like [{"field": "category", "operator": "is", "values": ["Crime"]}]'
            ]
        return items, clauses


def _cells(rule: Rule) -> dict[str, str]:
    """Return a stored rule, or one that is not yet, as texts by column."""
    stored = rule.pk is not None
    values: dict[str, Any] = {name: getattr(rule, name) for name in RuleForm.base_fields if name != "placements"}
    values["placements"] = [one.name for one in rule.placements.all()] if stored else []
    values["item_ids"] = [one.item.item_id for one in rule.picked.all()] if stored else []
    clauses = list(rule.clauses.all()) if stored else []
    conditions = [{"field": one.field, "operator": one.operator, "values": one.values} for one in clauses]
    return {
        "id": cell(rule.pk),
        **{name: cell(value) for name, value in values.items()},
        "conditions": _json(conditions),
    }


def _clauses(text: str) -> list[RuleClause]:
    """Return the conditions in a cell; ValueError or TypeError when they are none."""
    found: Any = tree(text) if text else []
    if not isinstance(found, list):
        raise TypeError
    return [_clause(one) for one in found]


def _clause(given: Mapping[str, Any]) -> RuleClause:
    """Return a condition; ValueError or TypeError when it is none."""
    if set(given) != CLAUSE or not all(isinstance(one, str) for one in (*given["values"], given["field"])):
        raise ValueError
    clause = RuleClause(
        field=given["field"], operator=RuleClause.Operator(given["operator"]), values=list(given["values"])
    )
    if len(clause.field) > 100 or isinstance(given["values"], str):
        raise ValueError
    return clause


def _json(conditions: list[dict[str, Any]]) -> str:
    return json.dumps(conditions, ensure_ascii=False) if conditions else ""


def _column(dataset: Dataset, name: str) -> list[str]:
    return list(dataset[name]) if name in (dataset.headers or ()) else []


def _texts_or_none(text: str) -> list[str]:
    try:
        return texts(text)
    except ValueError:
        return []
