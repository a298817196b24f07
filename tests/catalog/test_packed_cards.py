"""Packed cards say what was packed, and an id leads to its own card whatever its hash."""

from __future__ import annotations

import pytest

from catalog import packed_cards
from catalog.item_card import ItemCard
from catalog.packed_cards import PackedCards, hash_of, pack

HEAT = ItemCard(
    item_id="heat",
    title="Heat",
    description="L.A.\n" * 20,
    category="Crime",
    tags=("Heist", "la"),
    creators=("Mann, Michael",),
    image_url="/heat.svg",
    url="/items/heat/",
    year=1995,
    countries=("US",),
)
BARE = ItemCard(item_id="日本/1", title="")
HEIST = ItemCard(item_id="heist", title="Heist", tags=("heist", "Heist", "Heist"))


@pytest.fixture
def packed() -> PackedCards:
    return pack([(3, HEAT), (5, BARE), (8, HEIST)])


def test_every_card_comes_back(packed: PackedCards) -> None:
    assert [packed.card(place) for place in range(len(packed))] == [HEAT, BARE, HEIST]
    assert packed.pks.tolist() == [3, 5, 8]


def test_an_id_has_its_place(packed: PackedCards) -> None:
    assert [packed.place_of(item_id) for item_id in ("heat", "日本/1", "heist", "Heat", "", "\ud800")] == [
        0,
        1,
        2,
        -1,
        -1,
        -1,
    ]


def test_a_hash_is_the_same_in_every_process() -> None:
    # As `printf heat | b2sum -l 64` says, which writes the lowest byte first.
    assert hash_of("heat") == int.from_bytes(bytes.fromhex("9e6cd5a077390d30"), "little")


def test_ids_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_cards, "hash_of", lambda item_id: 2**64 - 1 if item_id.startswith("h") else 7)
    packed = pack([(3, HEAT), (5, BARE), (8, HEIST)])
    assert packed.hashes.tolist() == [7, 2**64 - 1, 2**64 - 1]
    assert [packed.place_of(item_id) for item_id in ("heat", "日本/1", "heist", "hot", "other")] == [0, 1, 2, -1, -1]


def test_tags_have_the_places_of_their_items(packed: PackedCards) -> None:
    assert packed.tags == ["Heist", "la", "heist"]
    assert [packed.places_with_tags([tag]).tolist() for tag in ("Heist", "la", "heist", "LA")] == [[0, 2], [0], [2], []]
    assert packed.places_with_tags(["la", "heist", "none"]).tolist() == [0, 2]
    assert packed.places_with_tags([]).tolist() == []
    assert (packed.spellings("heist"), packed.spellings("Heist")) == (["Heist", "heist"], [])


def test_nothing_can_be_packed() -> None:
    packed = pack([])
    assert (len(packed), packed.place_of("heat"), packed.places_with_tags(["la"]).tolist()) == (0, -1, [])
