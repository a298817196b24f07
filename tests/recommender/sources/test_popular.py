from __future__ import annotations

import numpy as np
import pytest

from recommender.sources.popular import Popular
from tests.recommender.worlds import bundle_of, catalogue_of, query_of

CATALOGUE = catalogue_of({"popularity": 3.0}, {"popularity": 0.0}, {"popularity": 7.0})
EVERYTHING = np.arange(3)


def test_without_a_model_the_catalogue_says_what_is_popular() -> None:
    query = query_of(CATALOGUE)
    assert Popular().score(query, EVERYTHING) == pytest.approx(np.log([4, 1, 8]))
    assert Popular().retrieve(query, 2).tolist() == [2, 0]


def test_with_a_model_only_newer_items_go_by_the_catalogue() -> None:
    # The model knows b and a (and one that is deleted); c is newer.
    query = query_of(CATALOGUE, bundle_of([20, 99, 10], popularity=[9.0, 50.0, 1.0]))
    assert Popular().score(query, EVERYTHING) == pytest.approx(np.log([2, 10, 8]))
    assert Popular().retrieve(query, 5).tolist() == [1, 2, 0]
