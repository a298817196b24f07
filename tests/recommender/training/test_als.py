from __future__ import annotations

import os

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares as CpuModel
from pytest_django import Settings
from scipy import sparse
from threadpoolctl import threadpool_info

from recommender.training import als
from recommender.training.als import AlsParameters

# Two tastes: users 0-2 take items 0-2, users 3-5 items 3-5; nobody takes item 6.
SEEN = np.zeros((6, 7), dtype=np.float32)
SEEN[:3, :3] = SEEN[3:, 3:6] = 1
SEEN[0, 2] = SEEN[3, 5] = 0
MATRIX = sparse.csr_matrix(SEEN)


def test_items_taken_by_the_same_people_point_the_same_way() -> None:
    factors = als.train(MATRIX, AlsParameters(factors=2, regularization=0.1, iterations=15), seed=1)
    assert (factors.shape, factors.dtype) == ((7, 2), np.float32)
    units = factors[:6] / np.linalg.norm(factors[:6], axis=1)[:, None]
    cosines = units @ units.T
    assert cosines[:3, :3].min() > 0.9
    assert cosines[3:, 3:].min() > 0.9
    assert cosines[:3, 3:].max() < 0.5


def test_an_item_that_nobody_took_is_all_zero() -> None:
    factors = als.train(MATRIX, AlsParameters(factors=2), seed=1)
    assert not factors[6].any()
    assert np.abs(factors[:6]).sum(axis=1).min() > 0


def test_there_are_no_more_factors_than_the_data_can_fill() -> None:
    assert als.train(MATRIX, AlsParameters(factors=64, iterations=2), seed=1).shape == (7, 6)
    single = als.train(sparse.csr_matrix(np.ones((1, 1), dtype=np.float32)), AlsParameters(iterations=2), seed=1)
    assert single.shape == (1, 1)
    assert np.isfinite(single).all()


def test_a_thread_for_each_processor_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert als.threads() == 3


def test_a_setting_bounds_the_threads(settings: Settings) -> None:
    settings.RECOMMENDER_TRAINING_THREADS = 5
    assert als.threads() == 5


def test_while_it_trains_blas_has_one_thread_and_afterwards_what_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def blas() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before, during = blas(), []
    fit = CpuModel.fit

    def noting(*args: object, **options: object) -> object:
        during.append(blas())
        return fit(*args, **options)

    monkeypatch.setattr(CpuModel, "fit", noting)
    als.train(MATRIX, AlsParameters(factors=2, iterations=1), seed=1)
    assert during == [{1}]
    assert blas() == before
