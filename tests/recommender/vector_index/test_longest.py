from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.vector_index.longest import Longest, lengths

# Lengths 0..39, but for row 7 (of length 100) and row 30 (of 39, as the last row).
VECTORS = np.zeros((40, 2), dtype=np.float32)
VECTORS[:, 0] = np.arange(40)
VECTORS[7] = [0, -100]
VECTORS[30] = [0, 39]


def test_one_row_in_twenty_is_kept_the_lower_of_equally_long_ones() -> None:
    assert Longest.of(VECTORS, "dot").rows.tolist() == [7, 30]


@pytest.mark.parametrize("metric", ["cosine", "angular"])
def test_where_length_does_not_count_there_are_none(metric: str) -> None:
    longest = Longest.of(VECTORS, metric)  # type: ignore[arg-type]
    assert longest.rows.tolist() == longest.best(VECTORS[7], 3).tolist() == []
    assert longest.others(np.array([0, 39])).tolist() == [0, 39]


def test_the_best_among_them_come_first() -> None:
    longest = Longest.of(VECTORS, "dot")
    assert longest.best(np.array([0, 1], dtype=np.float32), 2).tolist() == [30, 7]
    assert longest.best(np.array([0, -1], dtype=np.float32), 1).tolist() == [7]


def test_places_among_the_others_are_turned_back_into_rows() -> None:
    others = [row for row in range(40) if row not in (7, 30)]
    assert Longest.of(VECTORS, "dot").others(np.arange(38)).tolist() == others


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    Longest.of(VECTORS, "dot").write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(Longest.files)
    longest = Longest.read(tmp_path)
    assert longest.rows.tolist() == [7, 30]
    assert longest.best(np.array([0, 1], dtype=np.float32), 1).tolist() == [30]


def test_lengths_are_euclidean() -> None:
    assert lengths(np.array([[3, 4], [0, 0]], dtype=np.float32)).tolist() == [5, 0]
