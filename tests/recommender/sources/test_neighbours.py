from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.sources.item_to_item import ItemToItem
from recommender.sources.session import Session
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

# Model rows 0..3 are the keys 30, 10, 99 (deleted since the build) and 20; the catalogue's row 3 (key 40) is newer.
PKS = [30, 10, 99, 20]
WEIGHTS = [
    [0.0, 0.4, 0.9, -0.2],
    [0.5, 0.0, 0.1, 0.3],
    [0.7, 0.6, 0.0, 0.8],
    [0.0, 0.2, 0.0, 0.0],
]
"""Row: item of the history, column: candidate."""
CATALOGUE = catalogue_of({}, {}, {}, {})
BUNDLE = bundle_of(PKS, item_to_item=WEIGHTS, session=WEIGHTS, popularity=[6, 6, 6, 15])
EVERYTHING = np.arange(4)


def test_scores_add_up_the_rows_of_the_history() -> None:
    # History: catalogue rows 2 (model 0) of weight 1 and 0 (model 1) of weight 2.
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2, 0], [1.0, 2.0]))
    source = ItemToItem()
    # Item a (model 1): 0.4 + 2·0; b (model 3): −0.2 + 2·0.3; c (model 0): 0 + 2·0.5; d is newer than the model.
    assert source.score(query, EVERYTHING) == pytest.approx([0.4, 0.4, 1.0, np.nan], nan_ok=True)
    assert source.contributions(query, EVERYTHING) == pytest.approx(
        np.array([[0.4, -0.2, 0.0, 0.0], [0.0, 0.6, 1.0, 0.0]])
    )


def test_recency_halves_by_events_down_to_the_floor() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2, 0]))
    # 1 + 0.1 for the newest, 0.5 + 0.1 for the one before (half-life of one event).
    assert ItemToItem(half_life=1).score(query, np.array([0, 1])) == pytest.approx([1.1 * 0.4, -1.1 * 0.2 + 0.6 * 0.3])
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2, 0]))
    assert Session(half_life=1).score(query, np.array([0, 1])) == pytest.approx([0.4, -0.2 + 0.5 * 0.3])


def test_a_half_life_can_be_what_the_version_was_tuned_to() -> None:
    tuned = replace(BUNDLE, meta={**BUNDLE.meta, "half_lives": {"item_to_item": 1.0}})
    source = ItemToItem(half_life="tuned")
    query = query_of(CATALOGUE, tuned, history=history_of([2, 0]))
    assert source.score(query, np.array([0, 1])) == pytest.approx([1.1 * 0.4, -1.1 * 0.2 + 0.6 * 0.3])
    # A version that says nothing weighs all alike.
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2, 0]))
    assert source.score(query, np.array([0, 1])) == pytest.approx([0.4, -0.2 + 0.3])


def test_the_same_sum_at_other_half_lives_is_a_column_each() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2, 0]))
    source = ItemToItem(half_life=1, variants={"even": None})
    found = source.columns(query, EVERYTHING)
    assert found["item_to_item"] == pytest.approx([0.44, -0.04, 0.6 * 0.5, np.nan], nan_ok=True)
    assert found["item_to_item.even"] == pytest.approx([0.4, 0.1, 0.5, np.nan], nan_ok=True)
    assert list(found) == ["item_to_item", "item_to_item.even"]
    for column, scores in found.items():
        parts = source.contributions_to(column, query, EVERYTHING)
        assert parts is not None
        assert parts.sum(axis=0) == pytest.approx(np.nan_to_num(scores))
    assert source.contributions_to("session", query, EVERYTHING) is None


def test_only_positive_scores_are_proposed_without_deleted_items() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2]))
    # Model row 2 (0.9) is deleted, model row 3 (b) is negative, model row 0 (the item itself) is zero.
    assert ItemToItem().retrieve(query, 4).tolist() == [0]


def test_a_seed_takes_the_place_of_the_history() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([2]), seed=0)
    assert ItemToItem(half_life=1).score(query, EVERYTHING) == pytest.approx([0.0, 0.3, 0.5, np.nan], nan_ok=True)
    assert ItemToItem(half_life=1).retrieve(query, 4).tolist() == [2, 1]


def test_what_everybody_takes_can_be_made_to_count_less() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0]))
    source = ItemToItem(popularity_discount=0.5)
    # Divided by √(popularity + 10): c (model 0, popularity 6) by 4, b (model 3, popularity 15) by 5.
    assert source.score(query, np.array([1, 2])) == pytest.approx([0.3 / 5, 0.5 / 4])
    assert source.contributions(query, np.array([1, 2])).sum(axis=0) == pytest.approx([0.06, 0.125])


def test_a_history_of_items_newer_than_the_model_enables_nothing() -> None:
    assert not ItemToItem().enabled(query_of(CATALOGUE, BUNDLE, history=history_of([3])))
    assert ItemToItem().enabled(query_of(CATALOGUE, BUNDLE, history=history_of([3, 0])))


def test_a_model_built_without_events_enables_nothing() -> None:
    content_only = bundle_of(PKS, vectors=np.eye(4))
    assert not ItemToItem().enabled(query_of(CATALOGUE, content_only, history=history_of([0])))
    assert not Session().enabled(query_of(CATALOGUE, content_only, seed=0))


def test_without_history_or_model_nothing_is_enabled() -> None:
    assert not ItemToItem().enabled(query_of(CATALOGUE, BUNDLE))
    assert not ItemToItem().enabled(query_of(CATALOGUE, None, history=history_of([0])))
