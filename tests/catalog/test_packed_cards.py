"""Packed cards say what was packed, and an id leads to its own card whatever its hash."""

from __future__ import annotations

import numpy as np
import pytest

from catalog import packed_cards
from catalog.item_card import ItemCard
from catalog.packed_cards import PackedCards, hash_of, merged, pack

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


FRESH = ItemCard(item_id="up", title="Up", tags=("balloon", "la"))
EDITED = ItemCard(item_id="heat", title="Heat (1995)", tags=("balloon", "Heist"))


@pytest.mark.parametrize(
    ("is_left", "fresh", "together"),
    [
        ([True, True, True], [], [(3, HEAT), (5, BARE), (8, HEIST)]),
        ([True, True, True], [(6, FRESH)], [(3, HEAT), (5, BARE), (6, FRESH), (8, HEIST)]),
        ([True, False, True], [(1, FRESH)], [(1, FRESH), (3, HEAT), (8, HEIST)]),
        ([False, True, True], [(3, EDITED), (9, FRESH)], [(3, EDITED), (5, BARE), (8, HEIST), (9, FRESH)]),
        ([False, False, False], [(3, EDITED)], [(3, EDITED)]),
        ([False, False, False], [], []),
    ],
)
@pytest.mark.parametrize("together_at_once", [1, 2, 50_000])
def test_merging_is_like_packing_together(
    packed: PackedCards,
    is_left: list[bool],
    fresh: list[tuple[int, ItemCard]],
    together: list[tuple[int, ItemCard]],
    together_at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packed_cards, "_TOGETHER", together_at_once)
    found, expected = merged(packed, np.array(is_left), pack(fresh)), pack(together)
    for name in ("pks", "texts", "starts", "hashes", "hashed"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    for tag in ("Heist", "la", "heist", "balloon"):
        assert found.places_with_tags([tag]).tolist() == expected.places_with_tags([tag]).tolist()
    assert found.tagged.dtype == expected.tagged.dtype


def test_ids_of_one_hash_are_told_apart_after_merging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_cards, "hash_of", lambda item_id: 7)
    found = merged(pack([(3, HEAT), (5, BARE)]), np.array([True, False]), pack([(4, FRESH), (8, HEIST)]))
    assert [found.place_of(item_id) for item_id in ("heat", "日本/1", "up", "heist")] == [0, -1, 1, 2]
