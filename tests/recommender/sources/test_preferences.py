from __future__ import annotations

import numpy as np
import pytest

from interactions.preferences import Preferences
from recommender.contracts import Query
from recommender.sources.preferences import StatedPreferences
from tests.recommender.worlds import bundle_of, catalogue_of, query_of

CATALOGUE = catalogue_of(
    {"category": "Comedy", "tags": ["Spoof"], "popularity": 6.0},
    {"category": "Crime", "tags": ["heist", "spoof"], "popularity": 2.0},
    {"category": "Crime", "tags": ["heist"], "popularity": 14.0},
    {"popularity": 30.0},
)
EVERYTHING = np.arange(4)


def query(*categories: str, tags: tuple[str, ...] = ()) -> Query:
    return query_of(CATALOGUE, preferences=Preferences(categories=categories, tags=tags))


def test_category_and_share_of_the_tags_times_popularity() -> None:
    # a: category 1, one of the two tags; b: both tags; c: one; d meets nothing, however popular it is.
    asked = query("comedy", tags=("heist", "spoof"))
    assert StatedPreferences().score(asked, EVERYTHING) == pytest.approx(
        [1.5 * np.log(8), 1.0 * np.log(4), 0.5 * np.log(16), 0.0]
    )
    assert StatedPreferences().retrieve(asked, 9).tolist() == [0, 1, 2]


def test_the_model_says_what_is_popular() -> None:
    asked = query_of(CATALOGUE, bundle_of([20, 30], popularity=[98, 0]), preferences=Preferences(categories=("crime",)))
    assert StatedPreferences().score(asked, EVERYTHING) == pytest.approx([0, np.log(100), np.log(2), 0])


def test_tags_that_no_item_has_propose_nothing() -> None:
    assert StatedPreferences().retrieve(query(tags=("western",)), 9).tolist() == []
    assert (
        StatedPreferences().retrieve(query_of(catalogue_of(), preferences=Preferences(tags=("a",))), 9).tolist() == []
    )


def test_somebody_must_have_said_something() -> None:
    assert StatedPreferences().enabled(query("comedy"))
    assert not StatedPreferences().enabled(query())
    # Items that he named are in his history.
    assert not StatedPreferences().enabled(query_of(CATALOGUE, preferences=Preferences(items=("a",))))
