from __future__ import annotations

import pytest

from interactions.preferences import Preferences
from recommender.contracts import History
from recommender.favourites import favourite_categories
from tests.recommender.worlds import catalogue_of, history_of

CATALOGUE = catalogue_of(
    {"category": "crime", "popularity": 1.0},
    {"category": "crime", "popularity": 1.0},
    {"category": "comedy", "popularity": 5.0},
    {"popularity": 50.0},
    {"category": "war"},
)
NOBODY = History.empty()


@pytest.mark.parametrize(
    ("rows", "weights", "stated", "expected"),
    [
        # Two of a kind say more than one, and what has no category is of none.
        ([2, 0, 1, 3], [1.0, 1.0, 1.0, 9.0], (), ["crime", "comedy"]),
        # One that he liked more says more.
        ([0, 2], [0.3, 1.0], (), ["comedy", "crime"]),
        # Of equals the newer.
        ([2, 0], [1.0, 1.0], (), ["comedy", "crime"]),
        # What he has named counts as one item of today.
        ([2], [0.3], ("war",), ["war", "comedy"]),
    ],
)
def test_categories_count_by_what_he_took_of_them(
    rows: list[int], weights: list[float], stated: tuple[str, ...], expected: list[str]
) -> None:
    told = Preferences(categories=stated)
    assert favourite_categories(history_of(rows, weights), told, CATALOGUE, 5) == expected
    assert favourite_categories(history_of(rows, weights), told, CATALOGUE, 1) == expected[:1]


def test_of_somebody_unknown_they_are_what_most_people_take() -> None:
    assert favourite_categories(NOBODY, Preferences(), CATALOGUE, 5) == ["comedy", "crime"]


def test_a_catalogue_without_categories_has_none() -> None:
    assert favourite_categories(NOBODY, Preferences(), catalogue_of({"popularity": 1.0}), 5) == []
