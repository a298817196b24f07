from __future__ import annotations

import numpy as np

from tests.benchmarks.vectors import NEAREST, QUERIES, generate


def test_each_query_comes_with_its_true_nearest() -> None:
    made = generate(2_000, 8)
    assert (made.vectors.shape, made.vectors.dtype) == ((2_000, 8), np.float32)
    assert made.queries.shape == (QUERIES, 8)
    for query, nearest in zip(made.queries[:20], made.nearest, strict=False):
        products = made.vectors.astype(np.float64) @ query.astype(np.float64)
        assert nearest == set(np.argsort(-products)[:NEAREST].tolist())


def test_the_same_vectors_every_time_and_none_longer_than_the_limit() -> None:
    first, second = generate(1_000, 4), generate(1_000, 4)
    assert np.array_equal(first.vectors, second.vectors)
    assert np.array_equal(first.queries, second.queries)
    assert np.linalg.norm(first.vectors, axis=1).max() < 2.4001
