from __future__ import annotations

import numpy as np
import pytest

from recommender.sources.new_items import NewItems
from tests.recommender.worlds import catalogue_of, day, query_of

# NOW is January 10th; most of the catalogue came in on the 1st.
CATALOGUE = catalogue_of(
    {"published_at": day(7), "created_at": day(1)},
    {"created_at": day(9)},
    {"published_at": day(11), "created_at": day(1)},
    {"published_at": day(10), "created_at": day(1)},
    {"created_at": day(1)},
    {"published_at": day(3), "created_at": day(9)},
)
EVERYTHING = np.arange(6)


def test_the_score_falls_with_the_age_in_days() -> None:
    scores = NewItems().score(query_of(CATALOGUE), EVERYTHING)
    # a: 3 days since publication; b: came in alone 1 day ago; c: not out yet; d: today; e: came in with the bulk;
    # f: published a week ago, whenever it came in.
    assert scores == pytest.approx([-np.log(4), -np.log(2), np.nan, 0.0, np.nan, -np.log(8)], nan_ok=True)


def test_the_newest_come_first_and_the_future_not_at_all() -> None:
    assert NewItems().retrieve(query_of(CATALOGUE), 6).tolist() == [3, 1, 0, 5]
    assert NewItems().retrieve(query_of(CATALOGUE), 1).tolist() == [3]


def test_items_whose_age_nobody_knows_are_never_new() -> None:
    assert NewItems().retrieve(query_of(catalogue_of({}, {}, {})), 3).tolist() == []
    assert NewItems().retrieve(query_of(catalogue_of()), 3).tolist() == []
