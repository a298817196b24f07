from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from recommender.contracts import Candidates, Query
from recommender.rerankers.discoveries import Discoveries
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {}, {}, {})


def query(spread: list[float], **fields: Any) -> Query:
    bundle = bundle_of([10, 20, 30, 40, 50])
    arrays = {**bundle.arrays, "item_to_item.spread": np.array(spread, dtype=np.float32)}
    return query_of(CATALOGUE, replace(bundle, arrays=arrays), **fields)


def candidates(item_to_item: list[float]) -> Candidates:
    return candidates_of([0, 1, 2, 3, 4, 5], [1.0, 0.9, 0.8, 0.7, 0.6, 0.5], item_to_item=item_to_item)


def test_a_share_of_the_places_goes_to_the_items_of_highest_lift() -> None:
    asked = query([10, 10, 5, 1, 0.5], limit=4)
    # Lifts 0.9, 0.8, 1.4, 6, 4; the last one came in after the build. Places 2 and 4 are discoveries.
    reranked = Discoveries(strength=0.5).rerank(asked, candidates([9, 8, 7, 6, 2, np.nan]))
    assert reranked.rows.tolist() == [0, 3, 1, 4, 2, 5]
    assert reranked.score.tolist() == np.float32([1.0, 0.9, 0.8, 0.7, 0.6, 0.5]).tolist()
    assert reranked.source_scores["item_to_item"][:5].tolist() == [9, 6, 8, 2, 7]


def test_a_share_that_makes_no_whole_place_changes_nothing() -> None:
    reranked = Discoveries(strength=0.24).rerank(query([1, 1, 1, 1, 1], limit=4), candidates([1, 2, 3, 4, 5, np.nan]))
    assert reranked.rows.tolist() == [0, 1, 2, 3, 4, 5]
    reranked = Discoveries(strength=0.25).rerank(query([1, 1, 1, 1, 1], limit=4), candidates([1, 2, 3, 4, 5, np.nan]))
    assert reranked.rows.tolist() == [0, 1, 2, 4, 3, 5]


def test_at_full_strength_lift_alone_ranks() -> None:
    reranked = Discoveries().rerank(query([1, 1, 1, 1, 1], diversity=1.0), candidates([1, 2, 3, 4, 5, np.nan]))
    assert reranked.rows.tolist() == [4, 3, 2, 1, 0, 5]


def test_an_item_that_no_history_reaches_has_no_lift() -> None:
    reranked = Discoveries(strength=0.5).rerank(query([1, 1, 0, 0, 0], limit=2), candidates([1, 1, 0, 0, 0, 0]))
    assert reranked.rows.tolist() == [0, 1, 2, 3, 4, 5]


def test_without_the_source_nothing_is_discovered() -> None:
    found = candidates_of([0, 1, 2], [1.0, 0.9, 0.8], popular=[1, 2, 3])
    assert Discoveries(strength=0.5).rerank(query([1, 1, 1, 1, 1]), found).rows.tolist() == [0, 1, 2]


def test_a_model_without_the_spread_is_left_alone() -> None:
    assert not Discoveries().enabled(query_of(CATALOGUE, bundle_of([10])))
    assert not Discoveries().enabled(query_of(CATALOGUE))
    assert Discoveries().enabled(query([1, 1, 1, 1, 1]))
