from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommender.sources import row_sums
from recommender.sources.row_sums import RowSums

#                                 item 0    1    2    3    4
ENTRIES = sparse.csr_matrix(np.array([[0.0, 0.5, 0.0, 0.2, 0.0], [0.1, 0.5, 0.0, 0.0, -0.3]], dtype=np.float32))
WEIGHTS = np.array([1.0, 2.0], dtype=np.float32)


@pytest.fixture(params=["all items", "only those that are named"])
def sums(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RowSums:
    monkeypatch.setattr(row_sums, "WHOLE_ROWS_UP_TO", 5 if request.param == "all items" else 4)
    return RowSums.of(ENTRIES, WEIGHTS)


def test_the_best_are_those_with_the_highest_positive_sums(sums: RowSums) -> None:
    # 1.5 for item 1, 0.2 for items 0 and 3, −0.6 for item 4; nothing is said of item 2.
    assert sums.best(1).tolist() == [1]
    assert sorted(sums.best(5).tolist()) == [0, 1, 3]


def test_each_row_can_be_asked_about_any_item(sums: RowSums) -> None:
    assert sums.told(np.array([4, 2, 1])) == pytest.approx(np.array([[0.0, 0, 0.5], [-0.3, 0, 0.5]]))
    assert sums.told(np.array([], dtype=np.int64)).shape == (2, 0)


def test_a_history_that_says_nothing_adds_up_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_sums, "WHOLE_ROWS_UP_TO", 0)
    nothing = RowSums.of(sparse.csr_matrix((2, 5), dtype=np.float32), WEIGHTS)
    assert nothing.best(3).tolist() == []
    assert not nothing.told(np.arange(5)).any()
