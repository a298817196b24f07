"""What pages and other apps read of the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from catalog import embeddings, queries
from catalog.models import EmbeddingSpace, Item


@pytest.fixture
def films(db: None) -> dict[str, Item]:
    now = timezone.now()
    rows: list[dict[str, Any]] = [
        {"item_id": "inception", "title": "Inception", "category": "Science fiction", "popularity": 5.0},
        {"item_id": "heat", "title": "Heat", "category": "Crime", "popularity": 9.0},
        {"item_id": "body-heat", "title": "Body Heat", "category": "Crime", "popularity": 1.0},
        {"item_id": "hidden", "title": "Heat hidden", "category": "Crime", "is_active": False},
        {"item_id": "later", "title": "Heat later", "category": "Crime", "available_from": now + timedelta(days=1)},
        {"item_id": "over", "title": "Heat over", "category": "Old", "available_until": now - timedelta(days=1)},
        {"item_id": "bare", "title": "Up", "popularity": 2.0},
    ]
    return {row["item_id"]: Item.objects.create(**row) for row in rows}


def ids(cards: list[Any]) -> list[str]:
    return [card.item_id for card in cards]


def test_a_card_is_given_of_what_may_be_shown(films: dict[str, Item]) -> None:
    Item.objects.filter(item_id="heat").update(published_at=datetime(1995, 12, 15, tzinfo=UTC), tags=["heist"])
    card = queries.card("heat")
    assert card is not None
    assert (card.title, card.category, card.tags, card.year, card.url) == (
        "Heat",
        "Crime",
        ("heist",),
        1995,
        "/items/heat/",
    )
    assert [queries.card(name) for name in ("hidden", "later", "over", "unknown")] == [None] * 4


def test_cards_come_most_popular_first(films: dict[str, Item]) -> None:
    assert ids(queries.cards()) == ["heat", "inception", "bare", "body-heat"]
    assert ids(queries.cards(limit=2, offset=1)) == ["inception", "bare"]
    assert ids(queries.cards(category="Crime")) == ["heat", "body-heat"]
    assert queries.cards(category="Western") == []


def test_cards_come_in_the_order_asked_for(films: dict[str, Item]) -> None:
    pks = [films[name].pk for name in ("bare", "heat")]
    assert ids(queries.cards_of([*pks, 0])) == ["bare", "heat"]
    assert queries.cards_of([]) == []


def test_categories_are_distinct_and_sorted(films: dict[str, Item]) -> None:
    assert queries.categories() == ["Crime", "Old", "Science fiction"]
    Item.objects.all().delete()
    assert queries.categories() == []


def test_ids_and_keys_are_translated_in_one_query(films: dict[str, Item], django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        assert queries.pks_by_item_id(["heat", "unknown"]) == {"heat": films["heat"].pk}
        assert queries.item_ids_by_pk([films["heat"].pk, 0]) == {films["heat"].pk: "heat"}
    with django_assert_num_queries(0):
        assert (queries.pks_by_item_id([]), queries.item_ids_by_pk([])) == ({}, {})
    assert (queries.item_pk("heat"), queries.item_pk("unknown")) == (films["heat"].pk, None)


def test_items_are_counted(films: dict[str, Item]) -> None:
    assert (queries.count_items(), queries.has_items()) == (7, True)
    Item.objects.all().delete()
    assert (queries.count_items(), queries.has_items()) == (0, False)


def test_vectors_are_read_as_they_were_stored(films: dict[str, Item]) -> None:
    EmbeddingSpace.objects.create(name="audio", dimension=64)
    assert embeddings.store("heat", "audio", [0.1] * 64) is True
    assert embeddings.store("inception", "audio", [1.0] * 64) is True
    assert embeddings.store("inception", "audio", [2.0] * 64) is False

    stored = {pk: np.frombuffer(vector, dtype="<f4").tolist() for pk, vector in queries.embeddings("audio")}

    assert stored == {films["heat"].pk: [np.float32(0.1)] * 64, films["inception"].pk: [2.0] * 64}
    assert list(queries.embeddings("text")) == []
    assert queries.embedding_space("text") is None
