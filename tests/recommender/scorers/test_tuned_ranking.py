from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.contracts import Query
from recommender.exceptions import ArtifactError
from recommender.pipeline import model_view
from recommender.ranking import blend, choosing, learned
from recommender.ranking.examples import Examples
from recommender.ranking.features import features, names
from recommender.registry import storage
from recommender.registry.artifacts import Bundle
from recommender.scorers.tuned_ranking import TunedRanking
from recommender.scorers.weighted_blend import WeightedBlend, as_probability
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, history_of, query_of

NAN = float("nan")
CATALOGUE = catalogue_of(*({"category": "film"} for _ in range(8)))
PKS = [10, 20, 30, 40, 50, 60, 70, 80]
ROWS = [1, 2, 3, 4, 5]
SCORES = {"one": [1.0, 5.0, NAN, 2.0, 0.0], "two": [0.3, 0.1, 0.2, 0.9, 0.4]}
RECIPE = {"one": 1.0, "two": 0.1}


def asked(ranking: dict[str, Any] | None, **arrays: np.ndarray) -> Query:
    """Return a request of somebody with a history, to a version with this ranking."""
    bundle = bundle_of(PKS)
    meta = {**bundle.meta, **({} if ranking is None else {"ranking": ranking})}
    return of(replace(bundle, meta=meta, arrays={**bundle.arrays, **arrays}))


def of(bundle: Bundle) -> Query:
    return query_of(CATALOGUE, bundle, history=history_of([0]))


def scored(query: Query, weights: dict[str, float] = RECIPE) -> list[float]:
    scores = TunedRanking(weights).score(query, candidates_of(ROWS, [NAN] * 5, **SCORES))
    assert scores.dtype == np.float32
    return scores.tolist()


def weighed(weights: dict[str, float]) -> list[float]:
    return WeightedBlend(weights).score(asked(None), candidates_of(ROWS, [NAN] * 5, **SCORES)).tolist()


@pytest.fixture(scope="module")
def trees() -> learned.Trees:
    random = np.random.default_rng(2)
    rows = random.normal(size=(300, len(names(("one", "two"))))).astype(np.float32)
    return learned.train(rows, rows[:, 0], rows[:, 1] > 0.5, names(("one", "two")), seed=1)


def stored(trees: learned.Trees) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return what a version with these trees notes and keeps."""
    chosen = choosing.Ranking(
        kind="learned",
        weights={"one": 1.0, "two": 0.5},
        columns=("one", "two"),
        trees=trees,
        quality={},
        gain=0.0,
        scores=np.empty(0, dtype=np.float32),
    )
    return chosen.meta(), chosen.arrays()


def test_a_version_that_was_never_tuned_is_ranked_by_the_recipe() -> None:
    assert scored(asked(None)) == weighed(RECIPE)


def test_who_has_no_history_is_ranked_by_the_recipe() -> None:
    query = query_of(CATALOGUE, asked({"kind": "single", "weights": {"two": 1.0}}).model.bundle)  # type: ignore[union-attr]
    assert scored(query) == weighed(RECIPE)


def test_without_a_model_the_recipe_ranks() -> None:
    assert scored(query_of(CATALOGUE, history=history_of([0]))) == weighed(RECIPE)


@pytest.mark.parametrize(("kind", "weights"), [("single", {"two": 1.0}), ("blend", {"one": 0.25, "two": 1.5})])
def test_a_single_source_or_a_blend_has_the_weights_of_the_version(kind: str, weights: dict[str, float]) -> None:
    assert scored(asked({"kind": kind, "weights": weights, "columns": ["one", "two"]})) == weighed(weights)


def test_a_single_source_ranks_in_its_own_order() -> None:
    scores = scored(asked({"kind": "single", "weights": {"two": 1.0}, "columns": ["one", "two"]}))
    assert np.argsort(scores)[::-1].tolist() == np.argsort(SCORES["two"])[::-1].tolist()


def test_a_learned_ranking_scores_as_it_did_in_training(trees: learned.Trees) -> None:
    meta, arrays = stored(trees)
    query = asked(meta, **arrays)
    rows = features(query, candidates_of(ROWS, [NAN] * 5, **SCORES), ("one", "two"))
    examples = Examples(
        starts=np.array([0, 5]),
        rows=np.array(ROWS),
        features=rows,
        columns=("one", "two"),
        taken=np.zeros(5, dtype=bool),
        wanted=np.array([1]),
    )
    in_training = trees.predict(blend.score(examples, meta["weights"]), rows)
    assert scored(query) == pytest.approx(as_probability(in_training), abs=1e-6)


def test_trees_correct_the_head_only(trees: learned.Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    meta, arrays = stored(trees)
    corrected = np.array(scored(asked(meta, **arrays)))
    monkeypatch.setattr(learned, "HEAD", 2)
    query = asked(meta, **arrays)
    z = features(query, candidates_of(ROWS, [NAN] * 5, **SCORES), ("one", "two"))[:, :2]
    # What `one` does not know has its lowest.
    z[2, 0] = z[4, 0]
    blended = z @ np.array([1.0, 0.5], dtype=np.float32)
    linear = as_probability(trees.linear((blended - blended.mean()) / blended.std()))
    # By the blend: b before d, then the rest.
    head = np.argsort(-blended)[:2]
    assert sorted(head.tolist()) == [1, 3]
    found = scored(query)
    assert [found[place] for place in head] == pytest.approx(corrected[head])
    assert [found[place] for place in (0, 2, 4)] == pytest.approx(linear[[0, 2, 4]])


def test_a_version_written_and_read_back_ranks_the_same(trees: learned.Trees, settings: Any, tmp_path: Path) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path)
    meta, arrays = stored(trees)
    query = asked(meta, **arrays)
    assert query.model is not None
    version = storage.write("v1", dict(query.model.bundle.arrays), dict(query.model.bundle.meta), {})
    bundle = storage.load(version.directory, version.manifest_sha256)
    assert scored(of(bundle)) == scored(query)


def test_a_source_that_failed_does_not_stop_it(trees: learned.Trees) -> None:
    meta, arrays = stored(trees)
    only_one = candidates_of(ROWS, [NAN] * 5, one=SCORES["one"])
    assert np.isfinite(TunedRanking(RECIPE).score(asked(meta, **arrays), only_one)).all()


def test_trees_that_cannot_be_read_are_a_backend_failure(trees: learned.Trees) -> None:
    meta, arrays = stored(trees)
    with pytest.raises(ArtifactError, match="the trees are cut off"):
        scored(asked(meta, **{learned.ARTEFACT: arrays[learned.ARTEFACT][:1000]}))
    with pytest.raises(ArtifactError, match="a learned ranking needs it"):
        scored(asked(meta))


def test_one_request_may_be_seen_from_a_newer_catalogue(trees: learned.Trees) -> None:
    """An item that came after the build is no failure: what is not known of it is unknown."""
    meta, arrays = stored(trees)
    query = asked(meta, **arrays)
    assert query.model is not None
    newer = catalogue_of(*({"category": "film"} for _ in range(9)))
    query = replace(query, catalogue=newer, model=model_view.build(query.model.bundle, newer), scratch={})
    scores = TunedRanking(RECIPE).score(query, candidates_of([8, 1], [NAN] * 2, one=[NAN, 1.0], two=[NAN, 1.0]))
    assert np.isfinite(scores).all()
