from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.contracts import Candidates
from recommender.rerankers.category_cap import CategoryCap
from tests.recommender.worlds import candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of(*[{"category": category} for category in ("crime", "crime", "crime", "war", "war", "")])
QUERY = query_of(CATALOGUE)


def falling(rows: list[int]) -> Candidates:
    scores = [1 - 0.1 * place for place in range(len(rows))]
    return candidates_of(rows, scores, one=scores)


def test_an_item_too_many_waits_for_the_next_window() -> None:
    candidates = falling([0, 1, 2, 3, 4])
    reranked = CategoryCap(at_most=2, window=3).rerank(QUERY, candidates)
    # c would be the third crime film in a row; after d, two of the last three are crime still: e. Then c may follow.
    assert reranked.rows.tolist() == [0, 1, 3, 2, 4]
    assert reranked.score.tolist() == candidates.score.tolist()
    assert reranked.source_scores["one"] == pytest.approx([1.0, 0.9, 0.7, 0.8, 0.6])


def test_within_one_wide_window_it_is_a_cap_of_the_list() -> None:
    reranked = CategoryCap(at_most=1, window=10).rerank(query_of(CATALOGUE, limit=2), falling([0, 1, 2, 3, 4]))
    assert reranked.rows.tolist() == [0, 3, 1, 2, 4]


def test_where_only_capped_items_are_left_the_best_fills_the_place() -> None:
    assert CategoryCap(at_most=1, window=2).rerank(QUERY, falling([0, 1, 2, 3])).rows.tolist() == [0, 3, 1, 2]


def test_items_without_a_category_do_not_count() -> None:
    catalogue = catalogue_of({}, {}, {}, {"category": "war"})
    reranked = CategoryCap(at_most=1, window=5).rerank(query_of(catalogue), falling([0, 1, 2, 3]))
    assert reranked.rows.tolist() == [0, 1, 2, 3]


def test_a_pin_keeps_its_place_and_counts_for_the_places_around_it() -> None:
    candidates = falling([0, 3, 4, 5])
    candidates.pinned[2] = True
    reranked = CategoryCap(at_most=1, window=2).rerank(QUERY, candidates)
    # The pinned war film stands third, so that no other may stand beside it.
    assert reranked.rows.tolist() == [0, 5, 4, 3]
    assert reranked.pinned.tolist() == [False, False, True, False]


def test_no_candidates_are_no_trouble() -> None:
    assert len(CategoryCap().rerank(QUERY, candidates_of([], []))) == 0


@pytest.mark.parametrize("options", [{"at_most": 0}, {"at_most": 6, "window": 5}])
def test_a_cap_that_caps_nothing_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at_most"):
        CategoryCap(**options)


@given(
    categories=st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=30),
    at_most=st.integers(1, 3),
    window=st.integers(3, 6),
    limit=st.integers(1, 20),
)
def test_the_cap_holds_wherever_it_can(categories: list[str], at_most: int, window: int, limit: int) -> None:
    catalogue = catalogue_of(*[{"category": category} for category in categories])
    reranked = CategoryCap(at_most, window).rerank(
        query_of(catalogue, limit=limit), falling(list(range(len(categories))))
    )
    assert sorted(reranked.rows.tolist()) == list(range(len(categories)))
    shown = [categories[row] for row in reranked.rows]
    for place in range(min(limit, len(shown))):
        before = shown[max(0, place - window + 1) : place]
        if shown[place] and before.count(shown[place]) >= at_most:
            # Nothing that was left would have been allowed there.
            assert all(other and before.count(other) >= at_most for other in shown[place:])
