from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.arrays import FloatArray, RowArray
from recommender.contracts import Candidates, Query
from recommender.exceptions import BackendError
from recommender.pipeline import recipes, runner
from recommender.pipeline.counterfactuals import Counterfactuals, without
from recommender.pipeline.recipes import Recipe
from recommender.pipeline.stages import Source, Without
from recommender.pipeline.trace import Trace
from recommender.ranking import learned
from recommender.ranking.features import names
from recommender.registry.artifacts import Bundle
from recommender.scorers.tuned_ranking import TunedRanking
from recommender.sources.popular import Popular
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {}, {})
WEIGHTS = np.zeros((5, 5))
WEIGHTS[0, 2], WEIGHTS[1, 3], WEIGHTS[1, 4] = 0.9, 0.5, 0.1
BUNDLE = bundle_of([10, 20, 30, 40, 50], item_to_item=WEIGHTS, popularity=[0, 0, 3, 2, 1])


def tuned(kind: str) -> Bundle:
    """Return a version with something of every source, and a ranking of this kind."""
    random = np.random.default_rng(6)
    bundle = bundle_of(
        [10, 20, 30, 40, 50, 60, 70],
        item_to_item=random.random((7, 7)) * (random.random((7, 7)) < 0.7),
        factors=random.normal(size=(7, 3)),
        vectors=random.normal(size=(7, 4)),
        popularity=random.random(7),
    )
    columns = ("collaborative", "content", "item_to_item", "item_to_item.even", "popular")
    rows = random.normal(size=(300, len(names(columns)))).astype(np.float32)
    trees = learned.train(rows, rows[:, 0], rows[:, 1] > 0.5, names(columns), seed=1)
    ranking = {
        "kind": kind, "weights": dict.fromkeys(columns, 1.0), "columns": list(columns), "intercept": trees.intercept,
        "slope": trees.slope,
    }  # fmt: skip
    arrays = {**bundle.arrays, learned.ARTEFACT: np.frombuffer(trees.text.encode(), dtype=np.uint8)}
    return replace(bundle, meta={**bundle.meta, "ranking": ranking}, arrays=arrays)


@pytest.fixture
def mine(settings: Any) -> Recipe:
    settings.RECOMMENDER_RECIPES = {
        "mine": {
            "sources": {"item_to_item": {"half_life": 1.0}, "popular": {"weight": 0.1}},
            "filters": ["seen"],
            "scorers": ["weighted_blend"],
        }
    }
    return recipes.get("mine")


def test_a_query_without_an_item_keeps_what_was_seen_and_shifts_the_rest() -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1, 2], [1.0, 2.0, 3.0]))
    query.scratch["item_to_item"] = "work of the whole history"
    reduced = without(query, 1)
    assert reduced.history.rows.tolist() == [0, 2]
    assert reduced.history.weights.tolist() == [1.0, 3.0]
    assert reduced.history.seen.tolist() == query.history.seen.tolist() == [0, 1, 2]
    assert reduced.scratch == {}
    assert query.history.rows.tolist() == [0, 1, 2]


def test_only_the_item_that_lifts_a_candidate_lowers_it_by_going(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1]))
    ranked = runner.rank(mine, query, runner.gather(mine, query, Trace()), Trace())
    lowered = Counterfactuals(mine, query, ranked).lowered(np.array([2, 3]), [0, 1])
    assert lowered.tolist() == [[True, False], [False, True]]


def test_without_his_only_item_there_would_be_no_such_list(mine: Recipe) -> None:
    query = query_of(CATALOGUE, BUNDLE, history=history_of([1]))
    ranked = runner.rank(mine, query, runner.gather(mine, query, Trace()), Trace())
    assert Counterfactuals(mine, query, ranked).lowered(np.array([3, 4]), [0]).tolist() == [[True, True]]


@pytest.fixture
def every_stage(settings: Any) -> Recipe:
    neighbours = {"half_life": 1.0, "variants": {"even": None}}
    settings.RECOMMENDER_RECIPES = {
        "all": {
            "sources": {
                "item_to_item": neighbours, "collaborative": {"half_life": 2.0}, "content": {"half_life": 2.0},
                "popular": {"weight": 0.1}, "trending": {"weight": 0.1},
            },
            "filters": ["seen"],
            "scorers": ["tuned_ranking", {"cold_start": {"weights": {"popular": 1.0}}}],
        }
    }  # fmt: skip
    return recipes.get("all")


@pytest.mark.parametrize("kind", ["learned", "blend"])
def test_several_questions_at_once_are_answered_like_each_alone(every_stage: Recipe, kind: str) -> None:
    # The last one of the history, and of the candidates, is newer than the model.
    query = query_of(catalogue_of(*[{}] * 9), tuned(kind), history=history_of([0, 1, 2, 7]))
    rows = np.array([3, 4, 5, 6, 8])
    reduced = [Without(without(query, place), place) for place in range(4)]
    scores = runner.rescore_without(every_stage, query, rows, reduced, np.arange(5))
    some = runner.rescore_without(every_stage, query, rows, reduced, np.array([1, 4]))
    for place, (score, two) in enumerate(zip(scores, some, strict=True)):
        again = runner.rescore(every_stage, without(query, place), rows)
        assert score[np.searchsorted(rows, again.rows)] == pytest.approx(again.score, rel=1e-5)
        assert two == pytest.approx(score[[1, 4]], rel=1e-5)
    assert len({tuple(score.tolist()) for score in scores}) > 1


def test_a_source_that_cannot_be_asked_again_is_left_out(mine: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Source, *asked: object) -> list[dict[str, np.ndarray]]:
        raise BackendError("gone")

    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1]))
    reduced = [Without(without(query, 0), 0)]
    monkeypatch.setattr(type(mine.sources[0].source), "columns_without", broken)
    [score] = runner.rescore_without(mine, query, np.array([2, 3, 4]), reduced, np.arange(3))
    assert np.argsort(-score).tolist() == [0, 1, 2]


def test_a_source_that_scores_in_its_own_way_is_asked_in_full() -> None:
    class Mine(Popular):
        def score(self, query: Query, rows: RowArray) -> FloatArray:
            return np.full(len(rows), len(query.history.rows), dtype=np.float32)

    class Renamed(Popular):
        pass

    class Ranking(TunedRanking):
        def score(self, query: Query, candidates: Candidates) -> FloatArray:
            return np.full(len(candidates), 1 / len(query.history.rows), dtype=np.float32)

    query = query_of(CATALOGUE, BUNDLE, history=history_of([0, 1]))
    reduced = [Without(without(query, place), place) for place in (0, 1)]
    rows = np.array([2, 3])
    assert [columns["popular"].tolist() for columns in Mine().columns_without(query, rows, reduced)] == [[1, 1]] * 2
    assert not Renamed.reads_history
    scores = Ranking({}).scores_without(reduced, [Candidates.of(rows)] * 2, np.arange(2))
    assert [score.tolist() for score in scores] == [[1, 1]] * 2
