from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.rerankers.long_tail import LongTail
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of({}, {}, {})
# ln(1 + popularity) is 2, 0 and 1 times ln 2.
QUERY = query_of(CATALOGUE, bundle_of([10, 20, 30], popularity=[3, 0, 1]))


def test_of_nearly_equal_items_the_less_popular_comes_first() -> None:
    # z(score) is 1.07, 0.27 and −1.34; z(popularity) 1.22, −1.22 and 0: at 0.5 b 0.88, a 0.46, c −1.34.
    reranked = LongTail(strength=0.5).rerank(QUERY, candidates_of([0, 1, 2], [0.9, 0.7, 0.3]))
    assert reranked.rows.tolist() == [1, 0, 2]
    assert reranked.score.tolist() == np.float32([0.9, 0.7, 0.3]).tolist()


def test_a_better_item_stays_ahead_of_a_less_popular_one() -> None:
    # At 0.2: a 0.82, b 0.51, c −1.34.
    reranked = LongTail(strength=0.2).rerank(QUERY, candidates_of([0, 1, 2], [0.9, 0.7, 0.3]))
    assert reranked.rows.tolist() == [0, 1, 2]


def test_a_tuned_strength_is_what_the_model_version_says_unless_the_placement_states_one() -> None:
    tuned, candidates = LongTail(strength="tuned"), candidates_of([0, 1, 2], [0.9, 0.7, 0.3])
    bundle = bundle_of([10, 20, 30], popularity=[3, 0, 1])
    asked = query_of(CATALOGUE, replace(bundle, meta={**bundle.meta, "variety": {"long_tail": 0.5}}))
    assert tuned.rerank(asked, candidates).rows.tolist() == [1, 0, 2]
    assert tuned.rerank(replace(asked, diversity=0.2), candidates).rows.tolist() == [0, 1, 2]
    other = query_of(CATALOGUE, replace(bundle, meta={**bundle.meta, "variety": {"discoveries": 0.5}}))
    assert tuned.rerank(other, candidates).rows.tolist() == [0, 1, 2]
    assert tuned.rerank(QUERY, candidates).rows.tolist() == [0, 1, 2]
    assert tuned.rerank(replace(QUERY, diversity=0.5), candidates).rows.tolist() == [1, 0, 2]


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_that_is_none_is_refused(strength: float) -> None:
    with pytest.raises(ValueError, match=r'strength must be 0..1 or "tuned", not '):
        LongTail(strength=strength)


def test_items_of_one_popularity_keep_their_order() -> None:
    query = query_of(CATALOGUE, bundle_of([10, 20, 30], popularity=[2, 2, 2]))
    assert LongTail().rerank(query, candidates_of([2, 0, 1], [0.9, 0.7, 0.3])).rows.tolist() == [2, 0, 1]


def test_without_a_model_there_is_no_popularity_to_go_by() -> None:
    assert not LongTail().enabled(query_of(CATALOGUE))
