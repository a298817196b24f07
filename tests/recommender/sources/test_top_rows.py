from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.sources.top_rows import top_rows

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("scores", "n", "expected"),
    [
        ([0.1, 0.3, 0.2], 2, [1, 2]),
        ([0.1, 0.3, 0.2], 3, [1, 2, 0]),
        ([0.1, 0.3, 0.2], 9, [1, 2, 0]),
        ([0.5, 0.5, 0.7, 0.5], 4, [2, 0, 1, 3]),
        ([NAN, 0.3, NAN, -2.0], 4, [1, 3]),
        ([NAN, 0.3, INF, -INF], 3, [1]),
        ([NAN, NAN], 1, []),
        ([0.1, 0.3], 0, []),
        ([0.1, 0.3], -1, []),
        ([], 3, []),
    ],
)
def test_the_best_come_first_ties_in_ascending_position(scores: list[float], n: int, expected: list[int]) -> None:
    best = top_rows(np.array(scores, dtype=np.float32), n)
    assert best.tolist() == expected
    assert best.dtype == np.int64


@given(
    st.lists(st.one_of(st.just(NAN), st.sampled_from([0.0, 0.5, 1.0]), st.floats(-9, 9, width=32)), max_size=40),
    st.integers(0, 50),
)
def test_it_agrees_with_sorting_everything(scores: list[float], n: int) -> None:
    finite = [position for position, score in enumerate(scores) if score == score]
    expected = sorted(finite, key=lambda position: (-scores[position], position))[:n]
    assert top_rows(np.array(scores, dtype=np.float32), n).tolist() == expected
