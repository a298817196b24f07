from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.contracts import Candidates, Query
from recommender.filters.excluded import Excluded
from recommender.filters.seen import Seen
from recommender.filters.unavailable import Unavailable
from recommender.pipeline.recipes import Recipe, SourceSlot
from recommender.pipeline.runner import StageFailed, run
from recommender.pipeline.stages import Source
from recommender.pipeline.trace import Trace
from recommender.scorers.weighted_blend import WeightedBlend
from recommender.sources.item_to_item import ItemToItem
from tests.recommender.pipeline.stages_of_a_site import (
    Broken,
    BrokenFilter,
    BrokenReranker,
    BrokenScorer,
    FirstScore,
    Fixed,
    Idle,
    Other,
)
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

NAN = float("nan")
CATALOGUE = catalogue_of({}, {"is_active": False}, {}, {}, {}, {})


def recipe(*sources: Source, n: int = 500, **stages: Any) -> Recipe:
    """Return a recipe of these sources, each of weight 1."""
    parts: dict[str, Any] = {"filters": (), "scorers": (FirstScore(),), "rerankers": (), "fallback": ""}
    slots = tuple(SourceSlot(source, 1.0, n) for source in sources)
    return Recipe(name="mine", sources=slots, **(parts | stages))


def ran(made: Recipe, trace: Trace | None = None, **fields: Any) -> Candidates:
    query = query_of(CATALOGUE, **fields)
    return run(made, query, trace if trace is not None else Trace())


def test_candidates_of_all_sources_are_ranked_together() -> None:
    one, two = Fixed([0, 2], [0.9, 0.1]), Other([2, 3], [0.5, 0.7])
    blend = WeightedBlend({"fixed": 1.0, "other": 1.0})
    shown = ran(recipe(one, two, scorers=(blend,)))
    # z of fixed: 1, −1, −1 (not known: its lowest); of other: −1 (not known), −1, 1.
    assert shown.rows.tolist() == [0, 3, 2]
    # Their means 0, 0 and −1, by the logistic function.
    assert shown.score.tolist() == pytest.approx([0.5, 0.5, 0.268941], abs=1e-6)
    assert shown.source_scores["fixed"] == pytest.approx([0.9, NAN, 0.1], nan_ok=True)


def test_equal_scores_stand_in_the_order_of_their_rows() -> None:
    assert ran(recipe(Fixed([4, 2, 3, 0], [1, 1, 1, 1]))).rows.tolist() == [0, 2, 3, 4]


def test_scores_that_are_not_finite_come_last() -> None:
    source = Fixed([0, 2, 3, 4], [NAN, 0.1, float("inf"), 0.2])
    assert ran(recipe(source)).rows.tolist() == [4, 2, 0, 3]


def test_the_list_is_cut_to_its_limit() -> None:
    assert ran(recipe(Fixed([0, 2, 3, 4])), limit=2).rows.tolist() == [0, 2]
    assert ran(recipe(Fixed([0])), limit=2).rows.tolist() == [0]


def test_a_source_is_asked_for_enough_to_survive_the_filters() -> None:
    class Counting(Fixed):
        asked = 0

        def retrieve(self, query: Query, n: int) -> Any:
            self.asked = n
            return super().retrieve(query, n)

    source = Counting([0])
    ran(recipe(source, n=5), limit=3, history=history_of([2, 3]), exclude=np.array([4]))
    # 5 wanted, 2 seen, 1 excluded, and the seed there might be.
    assert source.asked == 9
    ran(recipe(source, n=5), limit=8)
    assert source.asked == 9


def test_a_source_of_which_much_is_hidden_is_asked_again_for_more() -> None:
    class Counting(Fixed):
        asked: tuple[int, ...] = ()

        def retrieve(self, query: Query, n: int) -> Any:
            self.asked = (*self.asked, n)
            return super().retrieve(query, n)

    catalogue = catalogue_of(*[{"is_active": row >= 9} for row in range(20)])
    source, trace = Counting(range(20)), Trace()
    made = recipe(source, n=2, filters=(Unavailable(),))
    shown = run(made, query_of(catalogue, limit=2), trace)
    # The three first and then the twelve first, of which nine are hidden.
    assert source.asked == (3, 12)
    assert shown.rows.tolist() == [9, 10]


def test_of_each_source_only_its_best_that_may_be_shown_are_candidates() -> None:
    one, two = Fixed([5, 4, 3, 2, 0]), Other([0, 2, 3])
    made = recipe(one, two, n=2, filters=(Unavailable(), Seen()))
    trace = Trace()
    shown = ran(made, trace, limit=2, history=history_of([5]))
    # 5 is seen and 1 hidden: the first source's best are 4 and 3, the second's 0 and 2.
    assert shown.rows.tolist() == [4, 3]
    [scored] = [step["in"] for step in trace.as_dict()["stages"] if step["kind"] == "scorer"]
    assert scored == 4


def test_items_deleted_since_the_build_do_not_use_up_a_sources_proposals() -> None:
    deleted = 40
    weights = np.zeros((deleted + 2, deleted + 2))
    # The history's item goes with forty deleted ones, and a little with item c.
    weights[0, 2:], weights[0, 1] = 0.9, 0.1
    bundle = bundle_of([10, 30, *range(1000, 1000 + deleted)], item_to_item=weights)
    shown = run(recipe(ItemToItem(), n=5), query_of(CATALOGUE, bundle, history=history_of([0])), Trace())
    assert shown.rows.tolist() == [2]


def test_a_source_of_n_nought_only_scores() -> None:
    proposing, scoring = Fixed([0, 2], [0.1, 0.2]), Other([2, 3], [0.5, 0.7])
    made = Recipe(
        name="mine",
        sources=(SourceSlot(proposing, 1.0, 500), SourceSlot(scoring, 1.0, 0)),
        filters=(),
        scorers=(FirstScore(),),
        rerankers=(),
        fallback="",
    )
    shown = ran(made)
    assert shown.rows.tolist() == [2, 0]
    assert shown.source_scores["other"] == pytest.approx([0.5, NAN], nan_ok=True)


def test_what_filters_remove_is_in_the_trace() -> None:
    trace = Trace()
    made = recipe(Fixed([0, 1, 2, 3, 4]), filters=(Unavailable(), Excluded(), Seen(), Idle()))
    shown = ran(made, trace, exclude=np.array([2]), history=history_of([3]))
    assert shown.rows.tolist() == [0, 4]
    steps = {step["stage"]: step for step in trace.as_dict()["stages"] if step["kind"] == "filter"}
    assert [(step["in"], step["out"], step["removed"]) for step in steps.values()] == [
        (5, 4, ["b"]), (4, 3, ["c"]), (3, 2, ["d"]), (2, 2, []),
    ]  # fmt: skip
    assert [step["kind"] for step in trace.as_dict()["stages"]] == [
        "source", "filter", "filter", "filter", "filter", "source score", "scorer",
    ]  # fmt: skip


def test_a_failing_source_leaves_the_others_to_answer_and_a_note() -> None:
    trace = Trace()
    shown = ran(recipe(Broken(), Fixed([0, 2])), trace)
    assert shown.rows.tolist() == [0, 2]
    assert list(shown.source_scores) == ["fixed"]
    assert trace.errors == ["broken: BackendError: the index is away"] * 2


def test_a_failing_scorer_leaves_the_order_to_the_next_one() -> None:
    trace = Trace()
    shown = ran(recipe(Fixed([0, 2], [0.1, 0.2]), scorers=(FirstScore(), BrokenScorer())), trace)
    assert shown.rows.tolist() == [2, 0]
    assert trace.errors == ["broken_scorer: BackendError: no ranker"]


def test_without_any_score_the_list_is_still_a_list() -> None:
    shown = ran(recipe(Fixed([2, 0]), scorers=(BrokenScorer(),)))
    assert shown.rows.tolist() == [0, 2]
    assert np.isnan(shown.score).all()


def test_a_failing_filter_fails_the_recipe() -> None:
    trace = Trace()
    with pytest.raises(StageFailed, match=r"^filter broken_filter failed: gone$") as failed:
        ran(recipe(Fixed([0]), filters=(BrokenFilter(),)), trace)
    assert isinstance(failed.value.__cause__, ConnectionResetError)
    assert trace.errors == ["broken_filter: ConnectionResetError: gone"]


def test_failing_business_rules_fail_the_recipe() -> None:
    with pytest.raises(StageFailed, match=r"^re-ranker broken_reranker failed: no rules$"):
        ran(recipe(Fixed([0]), rerankers=(BrokenReranker(),)))


def test_a_programming_error_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError, match="wrong"):
        ran(recipe(Broken("code"), Fixed([0])))


def test_no_candidates_are_an_empty_list() -> None:
    assert ran(recipe(Fixed([]))).rows.tolist() == []
    assert (
        ran(recipe(Fixed([1]), filters=(Unavailable(),), scorers=(WeightedBlend({"fixed": 1.0}),))).rows.tolist() == []
    )


def test_the_same_request_gets_the_same_list() -> None:
    made = recipe(Fixed([4, 2, 0, 3], [0.3, 0.3, 0.1, 0.3]), scorers=(WeightedBlend({"fixed": 1.0}),))
    first, second = ran(made), ran(made)
    assert first.rows.tolist() == second.rows.tolist() == [2, 3, 4, 0]
    assert first.score.tobytes() == second.score.tobytes()
