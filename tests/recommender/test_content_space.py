from __future__ import annotations

import numpy as np
import pytest

from catalog.snapshot import ItemCard
from recommender import content_space
from recommender.content_space import ContentSpace, tfidf
from recommender.training import content

COLUMNS = {"category:crime": 0, "tag:heist": 1, "tag:police": 2, "title:heat": 3}
IDF = np.array([1.0, 1.0, 2.0, 1.5], dtype=np.float32)
SPACE = ContentSpace(columns=COLUMNS, idf=IDF, components=np.eye(4, dtype=np.float32)[:3])


def test_each_part_is_of_its_own_weight_whatever_the_number_of_terms() -> None:
    heat = ItemCard(item_id="heat", title="Heat heat", category="Crime", tags=("Heist", "police", "unheard of"))
    # Tags: (1, 2) of length √5, brought to 1.0; category and title have one known term each: 0.6 and 0.4.
    assert tfidf([heat], COLUMNS, IDF).toarray() == pytest.approx(np.array([[0.6, 1 / 5**0.5, 2 / 5**0.5, 0.4]]))


def test_a_term_said_again_counts_by_its_logarithm() -> None:
    columns = {"title:heat": 0, "title:day": 1}
    again = ItemCard(item_id="a", title="Heat heat day")
    twice = 1 + np.log(2)
    expected = 0.4 * np.array([[twice, 1.0]]) / np.hypot(twice, 1.0)
    assert tfidf([again], columns, np.ones(2, dtype=np.float32)).toarray() == pytest.approx(expected)


def test_vectors_are_condensed_and_of_unit_length() -> None:
    cards = [
        ItemCard(item_id="a", title="", category="crime", tags=("heist",)),
        ItemCard(item_id="b", title="Heat"),
        ItemCard(item_id="c", title="Nothing known"),
    ]
    vectors = SPACE.vectors(cards)
    # a: (0.6, 1, 0) brought to length 1. The title's direction is not kept: b says nothing that counts.
    assert vectors == pytest.approx(np.array([[0.6, 1.0, 0.0], [0, 0, 0], [0, 0, 0]]) / np.hypot(0.6, 1.0))
    assert vectors.dtype == np.float32
    assert SPACE.vectors([]).shape == (0, 3)


def test_a_stored_space_gives_the_same_vectors() -> None:
    cards = [ItemCard(item_id="é", title="Amélie", tags=("café", "two words")), ItemCard(item_id="b", title="Heat")]
    space = content.fit(cards, dimension=4, seed=1)
    again = content_space.stored(space.arrays())
    assert again is not None
    assert again.vectors(cards).tobytes() == space.vectors(cards).tobytes()
    assert list(again.columns) == ["tag:café", "tag:two words"]


def test_vectors_that_come_from_elsewhere_have_no_space() -> None:
    assert content_space.stored({"content.vectors": np.eye(3)}) is None
    assert content.fit([ItemCard(item_id="a", title="")], dimension=4, seed=1).arrays() == {}
