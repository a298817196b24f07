from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from recommender.ranking.trees import ROWS_AT_ONCE, Ensemble, UnusableTrees

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(3000, 5)).astype(np.float32)
ROWS[RANDOM.random(ROWS.shape) < 0.1] = np.nan
ROWS[RANDOM.random(ROWS.shape) < 0.1] = 0
# Here nothing is unknown: LightGBM then has no way of its own for what is.
ROWS[:, 4] = np.nan_to_num(ROWS[:, 4])
LABELS = np.nan_to_num(ROWS[:, 0] * ROWS[:, 1] + ROWS[:, 4]) + np.isnan(ROWS[:, 2])


def booster(rounds: int = 40, rows: np.ndarray = ROWS, codes: Any = "auto", **parameters: Any) -> lightgbm.Booster:
    options = {"objective": "regression", "num_leaves": 15, "num_threads": 1, "verbose": -1, **parameters}
    data = lightgbm.Dataset(rows, LABELS[: len(rows)], categorical_feature=codes)
    trained = lightgbm.train(options, data, num_boost_round=rounds)
    return lightgbm.Booster(model_str=trained.model_to_string())


@pytest.mark.parametrize("leaves", [2, 7, 15, 31, 64])
def test_trees_say_what_lightgbm_says(leaves: int) -> None:
    made = booster(num_leaves=leaves, min_data_in_leaf=5)
    asked = np.concatenate([ROWS[: ROWS_AT_ONCE + 1], np.full((1, 5), np.nan), np.full((1, 5), np.inf)]).astype("f4")
    expected = made.predict(asked, raw_score=True)
    assert Ensemble.of(made).predict(asked) == pytest.approx(expected, abs=1e-12)
    assert len(np.unique(np.round(expected, 6))) > leaves


def test_a_value_at_a_threshold_goes_the_way_it_goes_in_lightgbm() -> None:
    made = booster()
    thresholds = np.concatenate([table.thresholds[:-1] for table in Ensemble.of(made).tables])
    nearest = np.repeat(thresholds[np.abs(thresholds) < 100, None], 5, axis=1)
    far = np.float32(np.inf)
    # What is nearer to 0 than 1e-35, LightGBM takes for 0; no feature is.
    asked = np.concatenate([nearest, np.nextafter(nearest, far), np.nextafter(nearest, -far)])
    asked = np.where(np.abs(asked) < 1e-30, 0, asked).astype(np.float32)
    assert Ensemble.of(made).predict(asked) == pytest.approx(made.predict(asked, raw_score=True), abs=1e-12)


def test_no_rows_and_no_splits_are_no_special_cases() -> None:
    made = booster(rounds=3)
    assert Ensemble.of(made).predict(ROWS[:0]).tolist() == []
    constant = booster(rounds=3, rows=np.zeros((100, 2), dtype=np.float32))
    assert Ensemble.of(constant).predict(ROWS[:2, :2]) == pytest.approx(constant.predict(ROWS[:2, :2]))


def test_trees_it_cannot_follow_are_refused() -> None:
    with pytest.raises(UnusableTrees, match=r"^a tree has \d+ leaves; there may be 64$"):
        Ensemble.of(booster(num_leaves=100, min_data_in_leaf=5))
    with pytest.raises(UnusableTrees, match="missing Zero"):
        Ensemble.of(booster(zero_as_missing=True))
    codes = np.searchsorted([-1, 0, 1], ROWS[:, 4:]).astype(np.float32)
    with pytest.raises(UnusableTrees, match=r"^a split is =="):
        Ensemble.of(booster(rows=codes, codes=[0], min_data_per_group=1, cat_smooth=0))
