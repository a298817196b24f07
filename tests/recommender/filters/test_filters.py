"""The three filters: what each keeps and what it removes."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.contracts import Candidates
from recommender.filters.excluded import Excluded
from recommender.filters.ruled_out import RuledOut
from recommender.filters.seen import Seen
from recommender.filters.unavailable import Unavailable
from recommender.pipeline.stages import Filter
from recommender.rules.compile import CompiledRules
from tests.recommender.worlds import candidates_of, catalogue_of, day, history_of, query_of

# NOW is January 10th.
CATALOGUE = catalogue_of(
    {},
    {"is_active": False},
    {"available_from": day(11)},
    {"available_from": day(10)},
    {"available_until": day(10)},
    {"available_from": day(1), "available_until": day(11)},
)
CANDIDATES = Candidates.of(np.array([5, 4, 3, 2, 1, 0]))


def test_hidden_early_and_late_items_are_unavailable() -> None:
    keep = Unavailable().keep(query_of(CATALOGUE), CANDIDATES)
    # From its first second on, and no longer from its last.
    assert keep.tolist() == [True, False, True, False, False, True]


def test_seen_items_are_dropped_whether_or_not_they_are_taste() -> None:
    query = query_of(CATALOGUE, history=history_of([0], seen=[1, 4]))
    assert Seen().keep(query, CANDIDATES).tolist() == [True, False, True, True, False, True]


def test_excluded_items_and_the_seed_are_dropped() -> None:
    query = query_of(CATALOGUE, exclude=np.array([2, 5]), seed=0)
    assert Excluded().keep(query, CANDIDATES).tolist() == [False, True, True, False, True, False]


def test_the_first_row_is_no_seed_by_accident() -> None:
    assert Excluded().keep(query_of(CATALOGUE), CANDIDATES).tolist() == [True] * 6


@pytest.mark.parametrize("stage", [Unavailable(), Seen(), Excluded()], ids=lambda stage: stage.name)
def test_each_gives_one_answer_a_candidate_and_leaves_them_alone(stage: Filter) -> None:
    query = query_of(CATALOGUE, history=history_of([0]), exclude=np.array([1]), seed=2)
    for candidates in (CANDIDATES, Candidates.of(np.empty(0, dtype=np.int64))):
        rows = candidates.rows.tolist()
        keep = stage.keep(query, candidates)
        assert (keep.dtype, keep.shape) == (np.bool_, (len(candidates),))
        assert candidates.rows.tolist() == rows


def test_what_editors_shut_out_is_dropped() -> None:
    hidden, kept_out = np.array([True, False, False]), np.array([False, True, False])
    catalogue = catalogue_of({}, {}, {})
    candidates = candidates_of([0, 1, 2], [0.9, 0.8, 0.7])

    def kept(**rules: np.ndarray) -> list[bool]:
        query = query_of(catalogue, rules=CompiledRules(**rules))
        assert RuledOut().enabled(query)
        return RuledOut().keep(query, candidates).tolist()

    assert kept(hidden=hidden, kept_out=kept_out) == [False, False, True]
    assert kept(kept_out=kept_out) == [True, False, True]
    assert kept() == [True, True, True]
    assert not RuledOut().enabled(query_of(catalogue))
