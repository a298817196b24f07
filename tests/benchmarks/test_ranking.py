from __future__ import annotations

from math import log2

import numpy as np
import pytest

from recommender.training.metrics import measure
from tests.benchmarks.ranking import coverage, ndcg, recall

LISTS = {1: [10, 11, 12], 2: [20, 21]}
WANTED = {1: {10, 12, 99}, 2: {30}, 3: {40}}


def test_ndcg_by_hand() -> None:
    """User 1 has hits at ranks 1 and 3 of an ideal 1, 2, 3; user 2 misses; user 3 has no list."""
    first = (1 + 1 / log2(4)) / (1 + 1 / log2(3) + 1 / log2(4))
    assert ndcg(LISTS, WANTED, 3) == pytest.approx(first / 3)
    assert ndcg(LISTS, WANTED, 1) == pytest.approx(1 / 3)


def test_recall_and_coverage_by_hand() -> None:
    assert recall(LISTS, WANTED, 3) == pytest.approx((2 / 3) / 3)
    assert coverage(LISTS, 2, 10) == pytest.approx(4 / 10)


def test_the_products_own_measure_agrees() -> None:
    generator = np.random.default_rng(5)
    lists = {user: generator.permutation(50)[:20].tolist() for user in range(30)}
    wanted = {user: set(generator.permutation(50)[: 1 + user % 15].tolist()) for user in range(30)}
    own = measure(
        [np.array(lists[user]) for user in range(30)],
        [np.array(sorted(wanted[user])) for user in range(30)],
        k=10,
        catalogue_size=50,
    )
    assert own.ndcg == pytest.approx(ndcg(lists, wanted, 10))
    assert own.recall == pytest.approx(recall(lists, wanted, 10))
    assert own.coverage == pytest.approx(coverage(lists, 10, 50))
