from __future__ import annotations

import numpy as np
import pytest

from recommender.sources.category import OfCategory
from tests.recommender.worlds import catalogue_of, query_of

CATALOGUE = catalogue_of(
    {"category": "Comedy", "popularity": 6.0},
    {"category": "Crime", "popularity": 2.0},
    {"category": "Crime", "popularity": 14.0},
    {"popularity": 30.0},
)


def test_only_items_of_the_category_are_known_the_most_popular_first() -> None:
    query = query_of(CATALOGUE, category="Crime")
    assert OfCategory().retrieve(query, 9).tolist() == [2, 1]
    scores = OfCategory().score(query, np.arange(4))
    assert scores == pytest.approx([np.nan, np.log(4), np.log(16), np.nan], nan_ok=True)


def test_a_list_of_no_category_does_not_ask_it() -> None:
    assert not OfCategory().enabled(query_of(CATALOGUE))
    assert OfCategory().retrieve(query_of(CATALOGUE, category="Western"), 9).tolist() == []
