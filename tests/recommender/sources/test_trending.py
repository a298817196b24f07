from __future__ import annotations

import numpy as np
import pytest

from interactions.popularity import Ranked, Trending
from interactions.preferences import Preferences
from recommender.contracts import Query
from recommender.sources.trending import TrendingNow
from tests.recommender.worlds import catalogue_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {})
EVERYTHING = np.arange(4)


def ranked(total: float, **scores: float) -> Ranked:
    """Return items by key (k10, k20, …) with their scores."""
    return Ranked(
        packed_pks=np.array([int(name[1:]) for name in scores], dtype=np.int64).tobytes(),
        packed_scores=np.array(list(scores.values())).tobytes(),
        total=total,
    )


TRENDING = Trending(
    everywhere=ranked(20.0, k10=10.0, k20=6.0, k999=4.0),
    countries={"FR": ranked(10.0, k20=8.0, k30=2.0)},
    categories={"Western": ranked(1.0, k40=1.0), "Crime": ranked(6.0, k20=6.0)},
)


def query(country: str = "", *categories: str) -> Query:
    return query_of(CATALOGUE, country=country, trending=TRENDING, preferences=Preferences(categories=categories))


def test_without_a_country_the_share_is_that_of_everywhere() -> None:
    expected = np.log([10 / 20, 6 / 20, np.nan, np.nan])
    assert TrendingNow().score(query(), EVERYTHING) == pytest.approx(expected, nan_ok=True)
    assert TrendingNow().score(query("JP"), EVERYTHING) == pytest.approx(expected, nan_ok=True)
    assert TrendingNow().retrieve(query(), 9).tolist() == [0, 1]


def test_a_country_borrows_from_everywhere_as_far_as_it_has_little_of_its_own() -> None:
    # With a prior of 10 events: a (0 + 10 · 10/20) / 20, b (8 + 10 · 8/20) / 20: there it has more than is known of
    # everywhere; c (2 + 10 · 2/20) / 20.
    scores = TrendingNow(prior=10).score(query("FR"), EVERYTHING)
    assert scores == pytest.approx(np.log([5 / 20, 12 / 20, 3 / 20, np.nan]), nan_ok=True)
    assert TrendingNow(prior=10).retrieve(query("FR"), 9).tolist() == [1, 0, 2]


def test_a_preferred_category_brings_its_own() -> None:
    assert TrendingNow().retrieve(query("", "western"), 9).tolist() == [0, 1, 3]
    assert TrendingNow().score(query("", "western"), np.array([3])) == pytest.approx(np.log([1 / 20]))


def test_it_needs_to_be_told_what_is_trending() -> None:
    assert TrendingNow().enabled(query())
    assert not TrendingNow().enabled(query_of(CATALOGUE))
    assert not TrendingNow().enabled(query_of(CATALOGUE, trending=Trending()))
