from __future__ import annotations

import numpy as np
import pytest

from recommender.contracts import Query
from recommender.sources.unexplored import Unexplored, shown_times
from tests.recommender.worlds import bundle_of, catalogue_of, day, query_of

# NOW is January 10th; the catalogue came in on the 1st, and the model was built of a, b, c and f.
CATALOGUE = catalogue_of(
    {"created_at": day(1)},
    {"created_at": day(1)},
    {"created_at": day(8)},
    {"created_at": day(9)},
    {"created_at": day(1)},
    {"created_at": day(1)},
    {"created_at": day(1)},
)
EVERYTHING = np.arange(7)


def query(**explored: int) -> Query:
    bundle = bundle_of([10, 20, 30, 60])
    return query_of(CATALOGUE, bundle, explored={int(pk[1:]): shown for pk, shown in explored.items()})


def test_known_are_items_of_the_last_days_and_those_newer_than_the_model() -> None:
    # c came in 2 of 7 days ago, d 1; e and g came in 9 days ago with the others, yet the model does not have them.
    assert Unexplored(days=7).score(query(), EVERYTHING) == pytest.approx(
        [np.nan, np.nan, -2 / 7, -1 / 7, -0.999, np.nan, -0.999], nan_ok=True
    )
    assert Unexplored(days=1.5).score(query(), np.array([2, 3])) == pytest.approx([np.nan, -2 / 3], nan_ok=True)


def test_the_least_shown_come_first_then_the_newest() -> None:
    assert Unexplored().retrieve(query(_40=2, _50=1), 9).tolist() == [2, 6, 4, 3]
    assert Unexplored().retrieve(query(), 1).tolist() == [3]


def test_an_item_whose_budget_is_used_up_is_no_longer_explored() -> None:
    assert Unexplored(impressions=3).retrieve(query(_40=3, _30=2), 9).tolist() == [4, 6, 2]


def test_a_catalogue_that_came_in_at_once_is_not_new() -> None:
    fresh = catalogue_of(*({"created_at": day(9)} for _ in range(3)))
    assert Unexplored().retrieve(query_of(fresh, explored={}), 9).tolist() == []
    assert Unexplored().retrieve(query_of(catalogue_of(), explored={}), 9).tolist() == []


def test_counts_of_deleted_items_are_passed_over() -> None:
    assert shown_times(query(_40=2, _999=7), np.array([3, 1, 6])).tolist() == [2, 0, 0]


def test_it_is_on_only_where_the_request_says_so() -> None:
    assert Unexplored().enabled(query())
    assert not Unexplored().enabled(query_of(CATALOGUE))
