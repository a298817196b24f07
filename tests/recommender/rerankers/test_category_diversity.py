from __future__ import annotations

from dataclasses import replace

import pytest

from recommender.rerankers.category_diversity import CategoryDiversity
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of(
    {"category": "crime"}, {"category": "crime"}, {"category": "crime"}, {"category": "war"}, {"category": "war"}
)
QUERY = query_of(CATALOGUE)


def test_a_tuned_strength_is_what_the_model_version_says() -> None:
    tuned, candidates = CategoryDiversity(strength="tuned"), candidates_of([0, 1, 2, 3, 4], [1.0, 0.9, 0.8, 0.7, 0.6])
    bundle = bundle_of([10, 20, 30, 40, 50])
    found = query_of(CATALOGUE, replace(bundle, meta={**bundle.meta, "variety": {"category_diversity": 0.5}}))
    stated = CategoryDiversity(strength=0.5).rerank(query_of(CATALOGUE), candidates)
    assert tuned.rerank(found, candidates).score.tolist() == stated.score.tolist() != candidates.score.tolist()
    assert tuned.rerank(query_of(CATALOGUE, bundle), candidates).score.tolist() == candidates.score.tolist()
    assert tuned.rerank(query_of(CATALOGUE), candidates).score.tolist() == candidates.score.tolist()


def test_each_further_item_of_a_category_keeps_less_of_its_score() -> None:
    candidates = candidates_of([0, 1, 2, 3, 4], [1.0, 0.9, 0.8, 0.7, 0.6], one=[5, 4, 3, 2, 1])
    reranked = CategoryDiversity(strength=0.5, decay=0.8).rerank(QUERY, candidates)
    # k-th of its category keeps 1 − 0.5 · (1 − 0.8^k): 1, 0.9, 0.82.
    # crime: 1, 0.9 · 0.9 = 0.81, 0.8 · 0.82 = 0.656; war: 0.7, 0.6 · 0.9 = 0.54.
    assert reranked.rows.tolist() == [0, 1, 3, 2, 4]
    assert reranked.score == pytest.approx([1.0, 0.81, 0.7, 0.656, 0.54])
    assert reranked.source_scores["one"].tolist() == [5, 4, 2, 3, 1]


def test_at_full_strength_nothing_is_left_of_a_long_row() -> None:
    candidates = candidates_of([0, 1, 3], [1.0, 0.9, 0.5])
    reranked = CategoryDiversity(strength=1.0, decay=0.0).rerank(QUERY, candidates)
    assert reranked.rows.tolist() == [0, 3, 1]
    assert reranked.score.tolist() == [1.0, 0.5, 0.0]


def test_no_strength_changes_nothing() -> None:
    candidates = candidates_of([0, 1, 3], [1.0, 0.9, 0.5])
    assert CategoryDiversity(strength=0).rerank(QUERY, candidates) is candidates


def test_equal_scores_keep_their_order() -> None:
    reranked = CategoryDiversity(strength=0.5).rerank(QUERY, candidates_of([3, 0], [0.5, 0.5]))
    assert reranked.rows.tolist() == [3, 0]


def test_no_candidates_are_no_trouble() -> None:
    assert len(CategoryDiversity().rerank(QUERY, candidates_of([], []))) == 0


def test_items_without_a_category_are_not_taken_for_alike() -> None:
    query = query_of(catalogue_of({}, {}, {"category": "war"}))
    reranked = CategoryDiversity(strength=1.0, decay=0.0).rerank(query, candidates_of([0, 1, 2], [1.0, 0.9, 0.5]))
    assert reranked.rows.tolist() == [0, 1, 2]
    assert reranked.score == pytest.approx([1.0, 0.9, 0.5])
