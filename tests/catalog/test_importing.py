"""Items are checked field by field, and only what differs is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from catalog import revisions
from catalog.importing import InvalidItem, UpsertCounts, item_record, upsert_items
from catalog.models import Item

pytestmark = pytest.mark.django_db

MATRIX = {
    "item_id": "2571",
    "title": "The Matrix",
    "description": "A hacker learns what the world is.",
    "category": "Science Fiction",
    "tags": ["action", "cyberpunk"],
    "creators": ["Lana Wachowski", "Lilly Wachowski"],
    "language": "en",
    "countries": ["us", "AU"],
    "image_url": "https://example.org/matrix.jpg",
    "url": "/films/2571/",
    "duration_minutes": 136,
    "published_at": "1999-03-31",
    "available_from": "2020-01-01T00:00:00+02:00",
    "available_until": None,
    "is_active": True,
    "attributes": {"rating": 8.7, "nested": [1, {"deep": "yes"}]},
}


def revision() -> int:
    return revisions.from_database()[revisions.CATALOGUE]


def test_every_field_arrives_as_given() -> None:
    assert upsert_items([item_record(MATRIX)]) == UpsertCounts(new=1)
    item = Item.objects.get()
    stored = {name: getattr(item, name) for name in MATRIX}
    assert stored == MATRIX | {
        "countries": ["US", "AU"],
        "published_at": datetime(1999, 3, 31, tzinfo=UTC),
        "available_from": datetime(2019, 12, 31, 22, tzinfo=UTC),
    }
    assert item.popularity == 0.0


def test_defaults_of_a_new_item_are_the_models_own() -> None:
    upsert_items([item_record({"item_id": "1", "title": "Toy Story"})])
    stored, fresh = Item.objects.get(), Item(item_id="1", title="Toy Story")
    names = [name for name in MATRIX if name not in ("item_id", "title")]
    assert {n: getattr(stored, n) for n in names} == {n: getattr(fresh, n) for n in names}


def test_same_items_again_change_neither_rows_nor_revision() -> None:
    records = [item_record(MATRIX), item_record({"item_id": "1", "title": "Toy Story"})]
    upsert_items(records)
    before, moments = revision(), list(Item.objects.values_list("id", "updated_at"))
    assert upsert_items(records) == UpsertCounts(unchanged=2)
    assert revision() == before
    assert list(Item.objects.values_list("id", "updated_at")) == moments


def test_only_the_changed_item_is_written() -> None:
    upsert_items([item_record(MATRIX), item_record({"item_id": "1", "title": "Toy Story"})])
    before = dict(Item.objects.values_list("item_id", "updated_at"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM catalog_item")
    counts = upsert_items(
        [item_record(MATRIX | {"title": "Matrix"}), item_record({"item_id": "1", "title": "Toy Story"})]
    )
    assert counts == UpsertCounts(changed=1, unchanged=1)
    assert Item.objects.get(item_id="2571").title == "Matrix"
    assert Item.objects.get(item_id="1").updated_at == before["1"]


def test_a_field_left_out_keeps_the_stored_value() -> None:
    upsert_items([item_record(MATRIX)])
    Item.objects.update(is_active=False)
    assert upsert_items([item_record({"item_id": "2571", "title": "Matrix"})]) == UpsertCounts(changed=1)
    item = Item.objects.get()
    assert (item.title, item.tags, item.is_active) == ("Matrix", ["action", "cyberpunk"], False)


def test_replace_resets_a_field_left_out() -> None:
    upsert_items([item_record(MATRIX)])
    assert upsert_items([item_record({"item_id": "2571", "title": "Matrix"})], replace=True) == UpsertCounts(changed=1)
    item = Item.objects.get()
    assert (item.title, item.tags, item.duration_minutes, item.published_at) == ("Matrix", [], None, None)


def test_last_of_the_same_id_wins_and_batches_add_up() -> None:
    records = [item_record({"item_id": str(number % 4), "title": f"Title {number}"}) for number in range(6)]
    assert upsert_items(records) == UpsertCounts(new=4)
    assert Item.objects.get(item_id="1").title == "Title 5"
    more = [item_record({"item_id": str(number), "title": "New"}) for number in range(5)]
    assert upsert_items(more, batch=2) == UpsertCounts(new=1, changed=4)


@pytest.mark.parametrize(
    ("change", "code", "field", "message"),
    [
        ({"title": None}, "type", "title", "title must be text, got null"),
        ({"title": "  "}, "field_required", "title", "title is empty"),
        ({"title": "\x1c \x85"}, "field_required", "title", "title is empty"),
        ({"title": "\ufeff \ufeff"}, "field_required", "title", "title is empty"),
        ({"title": "x" * 501}, "too_long", "title", "title has 501 characters; at most 500"),
        ({"title": "a\0b"}, "string_nul", "title", "title contains a NUL character"),
        ({"title": "a\ud800"}, "string_surrogate", "title", "title contains a lone surrogate"),
        ({"item_id": ""}, "id_invalid", "item_id", "item_id is empty"),
        ({"item_id": " 1"}, "id_invalid", "item_id", "item_id begins or ends with a blank"),
        ({"item_id": "a\u200bb"}, "id_invalid", "item_id", "item_id contains the character U+200B"),
        ({"item_id": 7}, "type", "item_id", "item_id must be text, got a number"),
        ({"tags": "a|b"}, "type", "tags", "tags must be a list of texts, got text"),
        ({"tags": ["a", 1]}, "type", "tags[1]", "tags[1] must be text, got a number"),
        ({"tags": ["x" * 101]}, "too_long", "tags[0]", "tags[0] has 101 characters; at most 100"),
        ({"countries": ["USA"]}, "field_invalid", "countries", "countries takes two-letter codes, got 'USA'"),
        ({"language": "e n"}, "field_invalid", "language", "language takes a tag such as en or pt-BR, got 'e n'"),
        (
            {"duration_minutes": True},
            "type",
            "duration_minutes",
            "duration_minutes must be a whole number, got true/false",
        ),
        (
            {"duration_minutes": -1},
            "number_out_of_range",
            "duration_minutes",
            "duration_minutes must be 0..2,147,483,647, got -1",
        ),
        (
            {"published_at": "1999-02-30"},
            "timestamp_invalid",
            "published_at",
            "published_at must be a date or RFC 3339 with an offset, such as 1999-03-31 or 1999-03-31T20:00:00Z",
        ),
        (
            {"published_at": "1999-03-31T20:00:00"},
            "timestamp_invalid",
            "published_at",
            "published_at must be a date or RFC 3339 with an offset, such as 1999-03-31 or 1999-03-31T20:00:00Z",
        ),
        ({"is_active": "yes"}, "type", "is_active", "is_active must be true or false, got text"),
        (
            {"url": "javascript:alert(1)"},
            "field_invalid",
            "url",
            "url must begin with https://, http:// or a single /, got 'javascript:alert(1)'",
        ),
        (
            {"available_until": "2019-01-01"},
            "field_invalid",
            "available_until",
            "available_until is not after available_from",
        ),
        ({"attributes": {"a": float("nan")}}, "number_invalid", "attributes", "attributes.a is not a finite number"),
        ({"attributes": {"a": ["\0"]}}, "string_nul", "attributes", "attributes.a[0] contains a NUL character"),
    ],
)
def test_a_bad_field_is_named(change: dict[str, Any], code: str, field: str, message: str) -> None:
    with pytest.raises(InvalidItem) as caught:
        item_record(MATRIX | change, index=3)
    assert (caught.value.code, caught.value.message, caught.value.index) == (code, message, 3)
    assert caught.value.field.startswith(field)


def test_an_unknown_and_a_missing_field_are_named() -> None:
    with pytest.raises(InvalidItem, match="'tag' is not a field of an item; allowed: item_id, title, description, cat"):
        item_record(MATRIX | {"tag": "x"})
    with pytest.raises(InvalidItem, match="title is missing"):
        item_record({"item_id": "1"})


def test_attributes_too_deep_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(InvalidItem, match="is nested deeper than 32 levels"):
        item_record(MATRIX | {"attributes": deep})
