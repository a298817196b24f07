"""From JSON to item records and vectors: the API's own limits on top of what `catalog.records` checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.api import json_body
from catalog.api.errors import ApiError
from catalog.records import InvalidItem, ItemRecord, check_id, check_text, item_record

MOST_ITEMS = 1_000
MOST_ENTRIES = {"tags": 50, "creators": 50}
"""Fewer than an import may bring: what a person or a shop's system writes by hand, not what crowds have tagged."""

Verdict = dict[str, Any]


def is_id(item_id: str) -> bool:
    """Tell whether this could be an item's id at all; the database is not asked for anything else."""
    try:
        check_id("item_id", item_id)
    except InvalidItem:
        return False
    return True


def record_of(fields: dict[str, Any], *, item_id: str | None = None, index: int | None = None) -> ItemRecord:
    """Return the record of a JSON object, whose id may stand in the path instead.

    Raises
    ------
    ApiError
        Naming the first field that is unknown, missing or unusable.
    """
    if item_id is not None:
        if fields.get("item_id", item_id) != item_id:
            raise ApiError("field_invalid", f"item_id must be that of the path, {item_id!r}.", field="item_id")
        fields = {**fields, "item_id": item_id}
    for name, most in MOST_ENTRIES.items():
        entries = fields.get(name)
        if isinstance(entries, list) and len(entries) > most:
            message = f"{name} has {len(entries):,} entries; at most {most}."
            raise ApiError("too_long", message, field=name, index=index)
    try:
        return item_record(fields, index=index)
    except InvalidItem as error:
        raise ApiError(error.code, f"{error.message}.", field=error.field, index=index) from error


def batch_of(body: Any) -> tuple[list[ItemRecord], list[Verdict]]:
    """Return the records of the good items, and one verdict an item in the order given.

    Raises
    ------
    ApiError
        The body is not `{"items": [up to 1,000]}`.
    """
    entries = _entries(json_body.as_object(body))
    records: dict[str, ItemRecord] = {}
    verdicts: list[Verdict] = []
    for index, entry in enumerate(entries):
        try:
            record = _record_of_entry(entry, index)
            if record.item_id in records:
                message = f"item_id {record.item_id!r} is in this request already."
                raise ApiError("item_twice", message, field="item_id")
        except ApiError as error:
            verdicts.append(
                {
                    "index": index,
                    "status": "rejected",
                    "code": error.code,
                    "message": error.message,
                    "field": error.field,
                }
            )
        else:
            records[record.item_id] = record
            verdicts.append({"index": index, "status": "accepted"})
    return list(records.values()), verdicts


def vector_of(body: dict[str, Any]) -> tuple[list[float], str]:
    """Return the vector and the model version of an upload. Their length is the space's business.

    Raises
    ------
    ApiError
        An unknown field, no vector, or something else than numbers in it.
    """
    _refuse_unknown(body, ("vector", "model_version"))
    vector = body.get("vector")
    if "vector" not in body:
        raise ApiError("field_required", "vector is missing.", field="vector")
    if not isinstance(vector, list):
        raise ApiError("type", f"vector must be a list of numbers, got {json_body.type_name(vector)}.", field="vector")
    for place, number in enumerate(vector):
        if isinstance(number, bool) or not isinstance(number, int | float):
            kind = json_body.type_name(number)
            raise ApiError("type", f"vector[{place}] must be a number, got {kind}.", field=f"vector[{place}]")
    try:
        return vector, check_text("model_version", body.get("model_version", ""), 50)
    except InvalidItem as error:
        raise ApiError(error.code, f"{error.message}.", field=error.field) from error


def _record_of_entry(entry: Any, index: int) -> ItemRecord:
    found = json_body.fault(entry)
    if found is not None:
        raise found
    if not isinstance(entry, dict):
        raise ApiError("body_type", f"Expected an object, got {json_body.type_name(entry)}.")
    return record_of(entry, index=index)


def _entries(body: dict[str, Any]) -> list[Any]:
    found = json_body.fault({name: value for name, value in body.items() if name != "items"})
    if found is not None:
        raise found
    _refuse_unknown(body, ("items",))
    if "items" not in body:
        raise ApiError("field_required", 'items is missing; send {"items": [...]}.', field="items")
    entries = body["items"]
    if not isinstance(entries, list):
        raise ApiError("type", f"items must be a list, got {json_body.type_name(entries)}.", field="items")
    if len(entries) > MOST_ITEMS:
        message = f"Limit is {MOST_ITEMS:,} items per request (got {len(entries):,})."
        raise ApiError("too_many_items", message, status=413, field="items")
    return entries


def _refuse_unknown(body: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for name in body:
        if name not in allowed:
            raise ApiError("field_unknown", f"{name!r} is not a field here; allowed: {', '.join(allowed)}.", field=name)
