from __future__ import annotations

import numpy as np
import pytest

from catalog.snapshot import ItemCard
from recommender.training import content


def card(item_id: str, title: str = "", **fields: object) -> ItemCard:
    return ItemCard(item_id=item_id, title=title, **fields)  # type: ignore[arg-type] # the fields of ItemCard


CARDS = [
    card("heat", "Heat", category="Crime", tags=("heist", "police"), description="A thief plans a last robbery."),
    card("ronin", "Ronin", category="crime", tags=("Heist", "car chase"), description="A robbery goes wrong."),
    card("thief", "Thief", category="Crime", tags=("heist",), creators=("Michael Mann",)),
    card("clue", "Clue", category="Comedy", tags=("whodunit",), description="Six guests and a butler."),
    card("airplane", "Airplane", category="comedy", tags=("spoof",)),
    card("silent"),
]


def test_items_that_read_alike_are_near_each_other() -> None:
    vectors = content.train(CARDS, dimension=4, seed=1)
    assert (vectors.shape, vectors.dtype) == ((6, 4), np.float32)
    nearness = vectors @ vectors.T
    # Tags and categories are compared whatever their case.
    assert min(nearness[0, 1], nearness[0, 2], nearness[1, 2]) > 0.4
    assert nearness[3, 4] > 0.2
    assert np.abs(nearness[:3, 3:5]).max() < 0.1


def test_vectors_are_of_unit_length_but_for_items_that_say_nothing() -> None:
    vectors = content.train(CARDS, dimension=4, seed=1)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1, 1, 1, 0], abs=1e-5)


def test_the_same_seed_gives_the_same_vectors() -> None:
    first, second = (content.train(CARDS, dimension=4, seed=7) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_dimension_is_cut_to_what_there_is() -> None:
    assert content.train(CARDS, dimension=128, seed=1).shape == (6, 5)
    two = content.train(CARDS[:2], dimension=128, seed=1)
    assert two.shape == (2, 1)
    assert np.isfinite(two).all()


@pytest.mark.parametrize(
    "cards",
    [
        [card("only", "Only", tags=("heist",))],
        [card("silent")],
        [card("a"), card("b"), card("c")],
        [card("a", tags=("x",)), card("b", tags=("x",)), card("c", tags=("x",))],
        [card("a", "the and of"), card("b", "the and of")],
    ],
    ids=["one item", "one silent item", "all silent", "all the same", "stop words only"],
)
def test_poor_catalogues_have_finite_vectors(cards: list[ItemCard]) -> None:
    vectors = content.train(cards, dimension=8, seed=1)
    assert len(vectors) == len(cards)
    assert vectors.shape[1] >= 1
    assert np.isfinite(vectors).all()
    assert (np.linalg.norm(vectors, axis=1) <= 1 + 1e-5).all()
