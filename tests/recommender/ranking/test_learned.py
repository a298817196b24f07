from __future__ import annotations

from math import log

import numpy as np
import pytest

from recommender.exceptions import ArtifactError
from recommender.ranking import learned
from recommender.ranking.learned import Trees
from recommender.registry.artifacts import Bundle

RANDOM = np.random.default_rng(5)
ROWS = RANDOM.random((400, 3)).astype(np.float32)
BLEND = RANDOM.normal(size=400).astype(np.float32)
TAKEN = ROWS[:, 1] > 0.7
"""The second feature says it all, the blend nothing."""
NAMES = ["one.z", "one.rank", "popularity"]


@pytest.fixture(scope="module")
def trees() -> Trees:
    return learned.train(ROWS, BLEND, TAKEN, NAMES, seed=1)


def bundle_of(trees: Trees, **arrays: np.ndarray) -> Bundle:
    ranking = {"intercept": trees.intercept, "slope": trees.slope}
    return Bundle(name="v1", created_at="", meta={"ranking": ranking}, arrays=arrays, indexes={})


def test_the_line_is_that_of_logistic_regression() -> None:
    # A quarter is taken where the blend says 0, three quarters where it says 1: log-odds −log 3 and log 3.
    blend = np.repeat(np.array([0, 1], dtype=np.float32), 400)
    taken = np.concatenate([np.arange(400) < 100, np.arange(400) < 300])
    assert learned.calibrate(blend, taken) == pytest.approx((-log(3), 2 * log(3)), abs=1e-4)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_line_of_one_class_only_is_finite(share: float) -> None:
    intercept, slope = learned.calibrate(BLEND, np.full(400, bool(share)))
    assert (intercept > 3) if share else (intercept < -3)
    assert np.isfinite(slope)


def test_a_blend_without_a_fault_has_a_steep_finite_line() -> None:
    intercept, slope = learned.calibrate(BLEND, BLEND > 0)
    assert np.isfinite(intercept)
    assert 1 < slope < np.inf
    # One of 600 stands out by 24 deviations: a whole Newton step would take the line far beyond, and then away.
    outstanding = np.zeros(12_000, dtype=np.float32)
    outstanding[::600] = 24
    intercept, slope = learned.calibrate(outstanding, outstanding > 0)
    assert -40 < intercept < 0 < intercept + 24 * slope < 40


def test_trees_add_what_the_blend_misses(trees: Trees) -> None:
    log_odds = trees.predict(BLEND, ROWS)
    assert log_odds.dtype == np.float32
    assert log_odds[TAKEN].min() > log_odds[~TAKEN].max()


def test_a_row_does_not_depend_on_its_neighbours(trees: Trees) -> None:
    together = trees.predict(BLEND, ROWS)
    assert trees.predict(BLEND[7:8], ROWS[7:8]).tolist() == together[7:8].tolist()
    assert trees.predict(BLEND[:0], ROWS[:0]).tolist() == []


def test_the_same_data_give_the_same_trees(trees: Trees) -> None:
    assert learned.train(ROWS, BLEND, TAKEN, NAMES, seed=1) == trees


def test_a_feature_may_be_unknown(trees: Trees) -> None:
    assert np.isfinite(trees.predict(BLEND[:1], np.full((1, 3), np.nan, dtype=np.float32))).all()


def test_a_version_gives_the_trees_back(trees: Trees) -> None:
    stored = np.frombuffer(trees.text.encode(), dtype=np.uint8)
    assert learned.of(bundle_of(trees, **{learned.ARTEFACT: stored})) == trees


def test_a_version_without_its_trees_is_broken(trees: Trees) -> None:
    with pytest.raises(ArtifactError, match=r"^ranker\.trees\.npy: a learned ranking needs it\.$") as refused:
        learned.of(bundle_of(trees))
    assert (refused.value.file, refused.value.check) == ("ranker.trees.npy", "missing")


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (lambda text: text[: len(text) // 2], "ranker.trees.npy: the trees are cut off."),
        (
            lambda text: b"\xff\xfe" + b"end of trees",
            "ranker.trees.npy: Model file doesn't specify the number of classes",
        ),
    ],
)
def test_damaged_trees_are_a_broken_artefact(trees: Trees, stored: object, message: str) -> None:
    text = np.frombuffer(stored(trees.text.encode()), dtype=np.uint8)  # type: ignore[operator]
    with pytest.raises(ArtifactError) as refused:
        learned.of(bundle_of(trees, **{learned.ARTEFACT: text})).predict(BLEND, ROWS)
    assert str(refused.value) == message
    assert refused.value.check == "format"


def test_trees_of_other_features_are_of_no_use(trees: Trees) -> None:
    with pytest.raises(
        ArtifactError, match=r"^ranker\.trees\.npy: The number of features in data \(2\) is not the same"
    ):
        trees.predict(BLEND, ROWS[:, :2])
