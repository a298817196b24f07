"""Cards on top of packed ones: what has changed, come and gone since is seen in every way of asking."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.cards import Cards, RowsByItemId, positions
from catalog.item_card import ItemCard
from catalog.packed_cards import pack


def card(item_id: str, *tags: str) -> ItemCard:
    return ItemCard(item_id=item_id, title=item_id.upper(), tags=tags)


def keys(*pks: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(pks, dtype=np.int64)


@pytest.fixture
def cards() -> Cards:
    packed = pack([(10, card("a", "x")), (20, card("b", "X")), (30, card("c", "x", "y"))])
    return Cards(packed, packed.pks, {})


def told(cards: Cards) -> tuple[list[str], dict[str, int], list[int], list[int]]:
    """Return ids by row, rows by id, and the rows of the tag "x", exact and folded."""
    ids = [one.item_id for one in cards]
    assert [cards[row].item_id for row in range(len(cards))] == ids
    assert [cards[row - len(cards)].item_id for row in range(len(cards))] == ids
    return ids, dict(RowsByItemId(cards)), cards.rows_with_tag("x").tolist(), cards.rows_with_folded_tag("x").tolist()


def test_without_changes_places_are_rows(cards: Cards) -> None:
    assert told(cards) == (["a", "b", "c"], {"a": 0, "b": 1, "c": 2}, [0, 2], [0, 1, 2])
    assert cards[1:] == [card("b", "X"), card("c", "x", "y")]
    assert cards[np.int64(1)] == card("b", "X")


@pytest.mark.parametrize("row", [3, -4])
def test_there_is_no_row_beyond(cards: Cards, row: int) -> None:
    with pytest.raises(IndexError):
        cards[row]


def test_a_changed_card_is_in_its_row(cards: Cards) -> None:
    now = cards.with_changes(cards.pks, {20: card("b", "x")})
    assert told(now) == (["a", "b", "c"], {"a": 0, "b": 1, "c": 2}, [0, 1, 2], [0, 1, 2])
    assert told(now.with_changes(cards.pks, {20: card("b")}))[2:] == ([0, 2], [0, 2])
    assert told(cards)[2] == [0, 2]


def test_an_item_with_another_id_has_no_longer_the_first(cards: Cards) -> None:
    now = cards.with_changes(cards.pks, {10: card("A")})
    assert told(now) == (["A", "b", "c"], {"A": 0, "b": 1, "c": 2}, [2], [1, 2])
    assert RowsByItemId(now).get("a", -1) == -1


def test_items_may_swap_their_ids(cards: Cards) -> None:
    now = cards.with_changes(cards.pks, {10: card("b", "x"), 20: card("a", "X")})
    assert told(now) == (["b", "a", "c"], {"b": 0, "a": 1, "c": 2}, [0, 2], [0, 1, 2])


def test_a_new_item_may_come_between(cards: Cards) -> None:
    now = cards.with_changes(keys(10, 15, 20, 30), {15: card("new", "x")})
    assert told(now) == (["a", "new", "b", "c"], {"a": 0, "new": 1, "b": 2, "c": 3}, [0, 1, 3], [0, 1, 2, 3])


def test_an_item_that_is_gone_is_found_no_more(cards: Cards) -> None:
    now = cards.without_others(keys(20, 30))
    assert told(now) == (["b", "c"], {"b": 0, "c": 1}, [1], [0, 1])
    assert "a" not in RowsByItemId(now)


def test_a_changed_item_that_is_gone_leaves_nothing_and_its_id_may_be_taken(cards: Cards) -> None:
    gone = cards.with_changes(cards.pks, {20: card("other", "x")}).without_others(keys(10, 30))
    assert (gone.changed, told(gone)) == ({}, (["a", "c"], {"a": 0, "c": 1}, [0, 1], [0, 1]))
    now = gone.with_changes(keys(10, 30, 40), {40: card("other")})
    assert told(now) == (["a", "c", "other"], {"a": 0, "c": 1, "other": 2}, [0, 1], [0, 1])


def test_repacked_cards_are_the_same_ones(cards: Cards) -> None:
    now = cards.without_others(keys(10, 30)).with_changes(keys(5, 10, 30), {5: card("b", "X"), 30: card("C", "x")})
    packed = now.repacked()
    assert told(Cards(packed, packed.pks, {})) == told(now)
    assert told(now) == (["b", "a", "C"], {"b": 0, "a": 1, "C": 2}, [1, 2], [0, 1, 2])
    assert cards.repacked() is cards.packed


def test_all_items_may_be_gone(cards: Cards) -> None:
    assert told(cards.without_others(keys())) == ([], {}, [], [])


def test_positions_are_where_the_wanted_are() -> None:
    assert positions(keys(2, 4, 6), keys(6, 5, 2, 7, 0)).tolist() == [2, -1, 0, -1, -1]
    assert positions(keys(), keys(1)).tolist() == [-1]
