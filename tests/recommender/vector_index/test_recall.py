from __future__ import annotations

import numpy as np
import pytest

from recommender.vector_index.base import Exclusion, Rows, Scores, VectorIndex, Vectors
from recommender.vector_index.brute_force import ExactIndex
from recommender.vector_index.recall import recall_at_k

VECTORS = np.array([[4.0], [3.0], [2.0], [1.0]], dtype=np.float32)
QUERY = np.array([[1.0]], dtype=np.float32)


class Missing(VectorIndex):
    """Exact, but never finds the rows in `lost`."""

    metric = "dot"
    exact = False

    def __init__(self, vectors: Vectors, lost: list[int]) -> None:
        self.rows, self.factors = vectors.shape
        self._inner = ExactIndex(vectors, "dot")
        self._lost = np.array(lost, dtype=np.int64)

    def search(
        self, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        return self._inner.search(query, k, exclude=self._lost)


@pytest.mark.parametrize(("lost", "recall"), [([], 1.0), ([0], 0.5), ([0, 1], 0.0), ([3], 1.0)])
def test_recall_is_the_share_of_the_best_k_that_was_found(lost: list[int], recall: float) -> None:
    assert recall_at_k(Missing(VECTORS, lost), VECTORS, QUERY, k=2) == recall


def test_recall_is_averaged_over_queries() -> None:
    queries = np.array([[1.0], [-1.0]], dtype=np.float32)
    assert recall_at_k(Missing(VECTORS, [0]), VECTORS, queries, k=1) == 0.5


def test_an_equally_good_row_counts() -> None:
    vectors = np.array([[2.0], [2.0], [1.0]], dtype=np.float32)
    assert recall_at_k(Missing(vectors, [0]), vectors, QUERY, k=1) == 1.0


def test_k_beyond_the_index_asks_for_every_row() -> None:
    assert recall_at_k(ExactIndex(VECTORS, "dot"), VECTORS, QUERY, k=10) == 1.0


def test_an_empty_index_misses_nothing() -> None:
    vectors = np.empty((0, 1), dtype=np.float32)
    assert recall_at_k(ExactIndex(vectors, "dot"), vectors, QUERY) == 1.0


def test_recall_without_queries_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one query"):
        recall_at_k(ExactIndex(VECTORS, "dot"), VECTORS, VECTORS[:0])


def test_vectors_of_another_index_are_refused() -> None:
    with pytest.raises(ValueError, match="The index has 4 rows, 3 vectors were given"):
        recall_at_k(ExactIndex(VECTORS, "dot"), VECTORS[:3], QUERY)
