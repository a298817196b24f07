from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.content_space import ContentSpace
from recommender.contracts import Query
from recommender.sources.content import Content
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

PKS = [30, 10, 99, 20]
VECTORS = [[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.0, 1.0]]
CATALOGUE = catalogue_of({}, {}, {}, {})
BUNDLE = bundle_of(PKS, vectors=VECTORS)
EVERYTHING = np.arange(4)


def query(**fields: object) -> Query:
    return query_of(CATALOGUE, BUNDLE, **fields)


def test_the_score_is_the_inner_product_with_the_weighted_mean_of_the_history() -> None:
    # Rows 2 and 1 are (1, 0) of weight 3 and (0, 1) of weight 1: the mean is (0.75, 0.25).
    asked = query(history=history_of([2, 1], [3.0, 1.0]))
    assert Content().score(asked, EVERYTHING) == pytest.approx(
        [0.75 * 0.6 + 0.25 * 0.8, 0.25, 0.75, np.nan], nan_ok=True
    )
    assert Content().contributions(asked, EVERYTHING) == pytest.approx(
        np.array([[0.45, 0.0, 0.75, 0.0], [0.2, 0.25, 0.0, 0.0]])
    )
    assert Content().score(asked, EVERYTHING).dtype == np.float32


def test_recency_is_part_of_the_mean_and_unknown_items_are_not() -> None:
    asked = query(history=history_of([2, 3, 1]))
    # Half-life of one event: weights 1.1, (0.6 of an unknown item) and 0.35, of which the known make up 1.45.
    assert Content(half_life=1).score(asked, np.array([2, 1])) == pytest.approx([1.1 / 1.45, 0.35 / 1.45])


def test_the_nearest_are_proposed_without_deleted_ones() -> None:
    # (1, 0): itself 1, the deleted one 0.8, a 0.6, b 0.
    assert Content().retrieve(query(history=history_of([2])), 4).tolist() == [2, 0, 1]
    assert Content().retrieve(query(history=history_of([2])), 2).tolist() == [2]


def test_a_seed_takes_the_place_of_the_history() -> None:
    asked = query(history=history_of([2]), seed=1)
    assert Content(half_life=1).score(asked, EVERYTHING) == pytest.approx([0.8, 1.0, 0.0, np.nan], nan_ok=True)


def test_an_item_that_says_nothing_has_no_neighbours() -> None:
    silent = bundle_of([10, 20], vectors=[[0.0, 0.0], [0.0, 1.0]])
    asked = query_of(catalogue_of({}, {}), silent, seed=0)
    assert Content().retrieve(asked, 2).tolist() == []
    assert Content().score(asked, np.arange(2)).tolist() == [0.0, 0.0]


def test_it_needs_an_item_that_the_model_knows() -> None:
    assert not Content().enabled(query())
    assert not Content().enabled(query(history=history_of([3])))
    assert Content().enabled(query(seed=0))
    assert not Content().enabled(query_of(CATALOGUE, None, seed=0))


SPACE = ContentSpace(
    columns={"tag:heist": 0, "tag:spoof": 1}, idf=np.ones(2, np.float32), components=np.eye(2, dtype=np.float32)
)
TOLD = catalogue_of({}, {}, {}, {"tags": ["heist"]}, {"tags": ["spoof"]}, {"tags": ["western"]})
"""d, e and f are newer than the model; it has never heard of westerns."""


def told(**fields: object) -> Query:
    words = bundle_of(PKS, vectors=VECTORS)
    return query_of(TOLD, replace(words, arrays={**words.arrays, **SPACE.arrays()}), **fields)


def test_an_item_newer_than_the_model_is_compared_by_its_words() -> None:
    # The history is c, (1, 0): d is the same, e is at a right angle, f says nothing that the model knows.
    asked = told(history=history_of([2]))
    assert Content().score(asked, np.array([3, 4, 5])) == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    assert Content().contributions(asked, np.array([3, 4, 5])) == pytest.approx(np.array([[1.0, 0.0, 0.0]]))


def test_an_item_newer_than_the_model_is_proposed_where_it_belongs() -> None:
    # c and d 1, the deleted one 0.8, a 0.6, b and e 0.
    assert Content().retrieve(told(history=history_of([2])), 6).tolist() == [2, 3, 0, 1, 4]
    assert Content().retrieve(told(history=history_of([2])), 2).tolist() == [2, 3]


def test_an_item_newer_than_the_model_can_be_what_the_list_is_about() -> None:
    assert Content().score(told(seed=4), np.array([0, 1])) == pytest.approx([0.8, 1.0])
    assert Content().enabled(told(history=history_of([3])))
    assert not Content().enabled(told(seed=5))


def test_an_item_changed_since_the_build_is_found_by_what_it_says_now() -> None:
    words = bundle_of(PKS, vectors=VECTORS)
    meta = {**words.meta, "catalogue_revision": 5}
    changed = replace(words, arrays={**words.arrays, **SPACE.arrays()}, meta=meta)
    # By the build a is (0.6, 0.8), b is (0, 1) and c, the history, (1, 0): b was at a right angle, now it is the same.
    catalogue = catalogue_of({}, {"tags": ["heist"], "revision": 6}, {})
    asked = query_of(catalogue, changed, history=history_of([2]))
    assert Content().retrieve(asked, 3).tolist() == [2, 1, 0]
    assert Content().score(asked, np.arange(3)) == pytest.approx([0.6, 1.0, 1.0])
