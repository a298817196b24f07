from __future__ import annotations

import numpy as np
import pytest

from recommender.rerankers.freshness import Freshness
from tests.recommender.worlds import candidates_of, catalogue_of, day, query_of

# Now is January 10: a came out 9 days ago, b 3, c today, nobody knows of d, e will tomorrow.
CATALOGUE = catalogue_of(
    {"published_at": day(1)},
    {"published_at": day(7)},
    {"published_at": day(10)},
    {},
    {"published_at": day(11)},
)
QUERY = query_of(CATALOGUE)


def test_an_item_of_one_half_life_gains_half_as_much_as_a_new_one() -> None:
    candidates = candidates_of([0, 1, 2, 3], [0.8, 0.8, 0.8, 0.8], one=[1, 2, 3, 4])
    reranked = Freshness(half_life_days=3, strength=1.0).rerank(QUERY, candidates)
    # (1 + 0.5^(age / 3)) / 2: nine days 0.5625, three 0.75, today 1; without a date 0.5.
    assert reranked.rows.tolist() == [2, 1, 0, 3]
    assert reranked.score == pytest.approx([0.8, 0.6, 0.45, 0.4])
    assert reranked.source_scores["one"].tolist() == [3, 2, 1, 4]


def test_what_is_not_out_yet_is_as_new_as_can_be() -> None:
    reranked = Freshness(half_life_days=3, strength=1.0).rerank(QUERY, candidates_of([2, 4], [0.8, 0.6]))
    assert reranked.score == pytest.approx([0.8, 0.6])


def test_a_better_item_stays_ahead_of_a_fresher_one() -> None:
    reranked = Freshness(half_life_days=3, strength=0.2).rerank(QUERY, candidates_of([0, 2], [1.0, 0.5]))
    # 1 · 1.025 / 1.2 against 0.5.
    assert reranked.rows.tolist() == [0, 2]
    assert reranked.score == pytest.approx([1.025 / 1.2, 0.5])


def test_a_score_that_is_not_finite_stays_last() -> None:
    reranked = Freshness().rerank(QUERY, candidates_of([0, 2], [0.1, np.nan]))
    assert reranked.rows.tolist() == [0, 2]
    assert len(Freshness().rerank(QUERY, candidates_of([], []))) == 0


@pytest.mark.parametrize("options", [{"half_life_days": 0}, {"strength": -1}])
def test_options_that_make_no_sense_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="half_life_days must be above 0 and strength 0 or more"):
        Freshness(**options)


def test_a_placement_s_freshness_is_what_an_old_item_loses() -> None:
    candidates = candidates_of([0, 1, 2, 3], [0.8, 0.8, 0.8, 0.8])
    aged = Freshness(half_life_days=3, strength=0).rerank(query_of(CATALOGUE, freshness=0.4), candidates)
    # 0.6 + 0.4 · 0.5^(age / 3): today 1, three days 0.8, nine 0.65; without a date 0.6.
    assert aged.rows.tolist() == [2, 1, 0, 3]
    assert aged.score == pytest.approx([0.8, 0.64, 0.52, 0.48])


def test_nothing_is_done_where_age_does_not_matter() -> None:
    assert not Freshness(strength=0).enabled(QUERY)
    assert not Freshness(strength=0.2).enabled(query_of(CATALOGUE, freshness=0.0))
    assert Freshness(strength=0.2).enabled(QUERY)
    assert Freshness(strength=0).enabled(query_of(CATALOGUE, freshness=0.1))
