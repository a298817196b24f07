from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn_arrays
from scipy import sparse

from recommender.training.neighbour_matrix import arrays, strongest_of_rows, strongest_of_sparse_rows

DENSE = np.array([[0.1, -0.9, 0.5, 0.0], [0.0, 0.0, 0.2, 0.0], [1.0, 2.0, -3.0, 4.0]], dtype=np.float32)


def test_the_entries_of_largest_absolute_value_are_kept() -> None:
    expected = [[0, -0.9, 0.5, 0], [0, 0, 0.2, 0], [0, 0, -3, 4]]
    assert strongest_of_rows(DENSE, 2).toarray() == pytest.approx(np.array(expected))
    assert strongest_of_sparse_rows(sparse.csr_matrix(DENSE), 2).toarray() == pytest.approx(np.array(expected))


def test_more_than_there_are_is_everything() -> None:
    for n in (4, 9):
        assert (strongest_of_rows(DENSE, n).toarray() == DENSE).all()
        assert (strongest_of_sparse_rows(sparse.csr_matrix(DENSE), n).toarray() == DENSE).all()


def test_zeros_are_not_stored() -> None:
    assert strongest_of_rows(DENSE, 2).nnz == 5


@given(drawn_arrays(np.float32, (4, 6), elements=st.sampled_from([0.0, 1.0, -1.0, 2.0])), st.integers(1, 7))
def test_a_row_keeps_as_many_as_asked_whatever_the_ties(dense: np.ndarray, n: int) -> None:
    for kept in (strongest_of_rows(dense, n), strongest_of_sparse_rows(sparse.csr_matrix(dense), n)):
        left = kept.toarray()
        assert ((left == dense) | (left == 0)).all()
        for row in range(4):
            wanted = sorted(np.abs(dense[row][dense[row] != 0]), reverse=True)[:n]
            assert sorted(np.abs(left[row][left[row] != 0]), reverse=True) == wanted


def test_the_stored_form_is_csr_with_sorted_columns() -> None:
    matrix = sparse.csr_matrix((np.array([3.0, 1.0]), np.array([2, 0]), np.array([0, 2, 2])), shape=(2, 3))
    stored = arrays("name", matrix)
    assert {name: (array.dtype, array.tolist()) for name, array in stored.items()} == {
        "name.indptr": (np.int64, [0, 2, 2]),
        "name.indices": (np.int32, [0, 2]),
        "name.data": (np.float32, [1.0, 3.0]),
    }
