from __future__ import annotations

import numpy as np
import pytest

from recommender.contracts import Query
from recommender.rerankers.mmr import Mmr
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of(
    {"category": "crime"}, {"category": "crime"}, {"category": "war"}, {"category": "war"}, {"category": ""}
)
# a and b point the same way; c is at a right angle; d lies between a and c: cosine 0.6 with a, 0.8 with c.
MODEL = bundle_of([10, 20, 30, 40], factors=[[2, 0], [1, 0], [0, 1], [3, 4]], vectors=[[1, 0], [0, 1], [1, 0], [1, 0]])
SCORES = [1.0, 0.9, 0.6, 0.5]


def query(**fields: object) -> Query:
    return query_of(CATALOGUE, MODEL, **fields)


def test_an_item_like_what_stands_above_it_moves_down() -> None:
    candidates = candidates_of([0, 1, 2, 3], SCORES, one=[4, 3, 2, 1])
    reranked = Mmr(strength=0.5).rerank(query(), candidates)
    # Relevance 1, 0.8, 0.2, 0. First a. Then b 0.4 − 0.5, c 0.1 − 0, d 0 − 0.3: c. Then b −0.1, d 0 − 0.4: b.
    assert reranked.rows.tolist() == [0, 2, 1, 3]
    assert reranked.source_scores["one"].tolist() == [4, 2, 3, 1]


def test_places_keep_their_scores() -> None:
    reranked = Mmr(strength=0.5).rerank(query(), candidates_of([0, 1, 2, 3], SCORES))
    assert reranked.score.tolist() == np.float32(SCORES).tolist()


def test_no_strength_changes_nothing() -> None:
    candidates = candidates_of([0, 1, 2], [1.0, 0.9, 0.5])
    assert Mmr(strength=0).rerank(query(), candidates) is candidates


def test_the_placement_s_own_diversity_counts_instead() -> None:
    candidates = candidates_of([0, 1, 2, 3], SCORES)
    assert Mmr(strength=0.5).rerank(query(diversity=0.0), candidates) is candidates
    assert Mmr(strength=0).rerank(query(diversity=0.5), candidates).rows.tolist() == [0, 2, 1, 3]


def test_what_is_alike_can_be_told_by_content_and_by_category() -> None:
    candidates = candidates_of([0, 1, 2, 3], SCORES)
    # By content b alone is unlike a, by category c is.
    assert Mmr(strength=0.9, by="content").rerank(query(), candidates).rows.tolist() == [0, 1, 2, 3]
    assert Mmr(strength=0.9, by="category").rerank(query(), candidates).rows.tolist() == [0, 2, 1, 3]


def test_without_a_model_categories_say_what_is_alike() -> None:
    reranked = Mmr(strength=0.9).rerank(query_of(CATALOGUE), candidates_of([0, 1, 2, 3], SCORES))
    assert reranked.rows.tolist() == [0, 2, 1, 3]


def test_items_without_a_category_are_not_taken_for_alike() -> None:
    catalogue = catalogue_of({}, {}, {"category": "war"})
    candidates = candidates_of([0, 1, 2], [1.0, 0.9, 0.5])
    assert Mmr(strength=0.9).rerank(query_of(catalogue), candidates).rows.tolist() == [0, 1, 2]


def test_only_the_pool_and_only_as_many_as_are_asked_for_are_chosen() -> None:
    candidates = candidates_of([0, 1, 2, 3], SCORES)
    assert Mmr(strength=0.5, pool=2).rerank(query(), candidates).rows.tolist() == [0, 1, 2, 3]
    assert Mmr(strength=0.5).rerank(query(limit=1), candidates).rows.tolist() == [0, 1, 2, 3]


def test_candidates_without_a_score_stay_last() -> None:
    candidates = candidates_of([0, 1, 2, 3], [1.0, 0.9, 0.8, np.nan])
    # Relevance 1, 0.5, 0: b 0.05 − 0.9, c 0 − 0.
    assert Mmr(strength=0.9).rerank(query(), candidates).rows.tolist() == [0, 2, 1, 3]
    assert len(Mmr().rerank(query(), candidates_of([], []))) == 0


@pytest.mark.parametrize("options", [{"strength": 1.1}, {"strength": -0.1}, {"pool": 0}, {"by": "colour"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Mmr(**options)  # type: ignore[arg-type]
