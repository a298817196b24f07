"""Items over HTTP: written exactly or refused with nothing changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog import revisions, snapshot
from catalog.api.documentation import ItemDocument
from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from catalog.records import ITEM_FIELDS
from tests.catalog.api.conftest import JsonClient

FULL: dict[str, Any] = {
    "title": "Inception",
    "description": "Dreams.",
    "category": "Science fiction",
    "tags": ["dreams", "heist"],
    "creators": ["Christopher Nolan"],
    "language": "en",
    "countries": ["US", "GB"],
    "image_url": "https://cdn.example.org/i.jpg",
    "url": "/watch/inception",
    "duration_minutes": 148,
    "published_at": "2010-07-16",
    "available_from": "2024-01-01T01:00:00+01:00",
    "available_until": None,
    "is_active": False,
    "attributes": {"rating": {"uk": "12A"}},
}
STORED = FULL | {
    "item_id": "inception",
    "published_at": "2010-07-16T00:00:00Z",
    "available_from": "2024-01-01T00:00:00Z",
}


def test_put_creates_then_replaces(api: JsonClient) -> None:
    created = api.send("PUT", "items/inception", FULL)
    assert (created.status_code, created.json()) == (201, STORED)

    replaced = api.send("PUT", "items/inception", {"title": "Inception 2"})
    assert replaced.status_code == 200
    item = Item.objects.get()
    assert (item.title, item.tags, item.is_active, item.published_at) == ("Inception 2", [], True, None)


def test_get_answers_what_put_stored_and_putting_it_back_changes_nothing(api: JsonClient) -> None:
    api.send("PUT", "items/inception", FULL)
    before = Item.objects.get()

    stored = api.send("GET", "items/inception")

    assert (stored.status_code, stored.json()) == (200, STORED)
    assert api.send("PUT", "items/inception", stored.json()).status_code == 200
    assert Item.objects.get().updated_at == before.updated_at


def test_a_written_item_is_in_the_next_snapshot(api: JsonClient, django_capture_on_commit_callbacks: Any) -> None:
    assert len(snapshot.current(revisions.announce_all()[revisions.CATALOGUE])) == 0

    with django_capture_on_commit_callbacks(execute=True):
        api.send("PUT", "items/ronin", {"title": "Ronin"})

    reply: Any = revisions.client().hmget(revisions.hash_key(), list(revisions.NAMES))
    announced = revisions.from_reply(reply)
    assert announced is not None
    assert snapshot.current(announced[revisions.CATALOGUE]).row_of == {"ronin": 0}


def test_delete_removes_the_item_and_its_vectors(api: JsonClient, heat: Item) -> None:
    space = EmbeddingSpace.objects.create(name="audio", dimension=64)
    ItemEmbedding.objects.create(item=heat, space=space, vector=b"\0" * 256)

    answer = api.send("DELETE", "items/heat")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (Item.objects.count(), ItemEmbedding.objects.count()) == (0, 0)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("item_id", ["ronin", "%00", "x" * 201, "%E2%80%8B"])
def test_an_unknown_item_is_404(api: JsonClient, heat: Item, method: str, item_id: str) -> None:
    answer = api.send(method, f"items/{item_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "item_unknown")
    assert Item.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"title": 5}, "type", "title"),
        ({"title": None}, "type", "title"),
        ({"title": "  "}, "field_required", "title"),
        ({"title": "x" * 501}, "too_long", "title"),
        ({"title": "a\0b"}, "string_nul", "title"),
        ({"tags": "heist"}, "type", "tags"),
        ({"tags": [1]}, "type", "tags[0]"),
        ({"tags": ["x"] * 51}, "too_long", "tags"),
        ({"tags": ["x" * 101]}, "too_long", "tags[0]"),
        ({"countries": ["USA"]}, "field_invalid", "countries"),
        ({"url": "javascript:alert(1)"}, "field_invalid", "url"),
        ({"url": "//evil.example"}, "field_invalid", "url"),
        ({"image_url": "data:text/html,x"}, "field_invalid", "image_url"),
        ({"duration_minutes": "148"}, "type", "duration_minutes"),
        ({"duration_minutes": True}, "type", "duration_minutes"),
        ({"duration_minutes": -1}, "number_out_of_range", "duration_minutes"),
        ({"is_active": 1}, "type", "is_active"),
        ({"published_at": "2010-07-16T00:00:00"}, "timestamp_invalid", "published_at"),
        ({"published_at": 1279238400}, "timestamp_invalid", "published_at"),
        ({"published_at": "2010-13-01"}, "timestamp_invalid", "published_at"),
        ({"published_at": "0001-01-01T00:00:00+14:00"}, "timestamp_invalid", "published_at"),
        ({"published_at": "9999-12-31T23:59:59-14:00"}, "timestamp_invalid", "published_at"),
        (
            {"available_from": "2024-01-02T00:00:00Z", "available_until": "2024-01-01T00:00:00Z"},
            "field_invalid",
            "available_until",
        ),
        ({"attributes": []}, "type", "attributes"),
        ({"attributes": {"a": "x" * 33_000}}, "too_long", "attributes"),
        ({"popularity": 99.0}, "field_unknown", "popularity"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "field_unknown", "created_at"),
        ({"id": 1}, "field_unknown", "id"),
        ({"item_id": "other"}, "field_invalid", "item_id"),
    ],
)
def test_a_bad_field_is_named_and_nothing_changes(
    api: JsonClient, heat: Item, change: dict[str, Any], code: str, field: str
) -> None:
    before = Item.objects.values().get()

    answer = api.send("PUT", "items/heat", {"title": "Heat"} | change)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, code, field)
    assert Item.objects.values().get() == before


@pytest.mark.parametrize("item_id", ["%00", "x" * 201, "a%E2%80%8Bb", "%20"])
def test_an_id_that_cannot_be_one_is_refused(api: JsonClient, item_id: str) -> None:
    answer = api.send("PUT", f"items/{item_id}", {"title": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "item_id"
    assert Item.objects.count() == 0


def test_a_missing_title_is_named(api: JsonClient) -> None:
    answer = api.send("PUT", "items/heat", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "field_required")
    assert answer.json()["error"]["message"] == "title is missing."


def test_a_batch_stores_the_good_items_and_says_what_is_wrong_with_the_others(api: JsonClient, heat: Item) -> None:
    items = [
        {"item_id": "heat", "title": "Heat", "category": "Thriller"},
        {"item_id": "ronin", "title": "Ronin"},
        {"item_id": "x"},
        {"item_id": "ronin", "title": "Ronin again"},
        {"item_id": "y", "title": "a\0"},
        7,
    ]

    answer = api.send("POST", "items", {"items": items})

    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 2,
        "rejected": 4,
        "created": 1,
        "changed": 1,
        "unchanged": 0,
        "results": [
            {"index": 0, "status": "accepted"},
            {"index": 1, "status": "accepted"},
            {
                "index": 2,
                "status": "rejected",
                "code": "field_required",
                "message": "title is missing.",
                "field": "title",
            },
            {
                "index": 3,
                "status": "rejected",
                "code": "item_twice",
                "message": "item_id 'ronin' is in this request already.",
                "field": "item_id",
            },
            {
                "index": 4,
                "status": "rejected",
                "code": "string_nul",
                "message": "title contains a NUL character.",
                "field": "title",
            },
            {
                "index": 5,
                "status": "rejected",
                "code": "body_type",
                "message": "Expected an object, got a number.",
                "field": None,
            },
        ],
    }
    stored = Item.objects.order_by("item_id").values_list("item_id", "title", "category", "tags", "popularity")
    assert list(stored) == [("heat", "Heat", "Thriller", ["heist"], 7.0), ("ronin", "Ronin", "", [], 0.0)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ([], 400, "body_type"),
        ({}, 400, "field_required"),
        ({"items": {}}, 400, "type"),
        ({"items": [], "replace": True}, 400, "field_unknown"),
        ({"items": [{}] * 1001}, 413, "too_many_items"),
    ],
)
def test_a_bad_batch_is_refused_as_a_whole(api: JsonClient, body: Any, status: int, code: str) -> None:
    answer = api.send("POST", "items", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_thousand_items_are_stored(api: JsonClient) -> None:
    items = [{"item_id": f"item-{number}", "title": f"Item {number}"} for number in range(1000)]
    answer = api.send("POST", "items", {"items": items})
    assert (answer.status_code, answer.json()["created"], Item.objects.count()) == (200, 1000, 1000)


def test_the_documentation_describes_every_field() -> None:
    assert set(ItemDocument().fields) == set(ITEM_FIELDS)


def test_moments_are_stored_in_utc(api: JsonClient) -> None:
    api.send("PUT", "items/inception", FULL)
    assert Item.objects.get().available_from == datetime(2024, 1, 1, tzinfo=UTC)
