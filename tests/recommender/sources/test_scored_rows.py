from __future__ import annotations

import numpy as np
import pytest

from recommender.sources.scored_rows import ScoredRows

SCORED = ScoredRows(np.array([2, 5, 9]), np.array([1.0, 3.0, 1.0], dtype=np.float32))
NOTHING = ScoredRows(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))


def test_the_best_come_first_and_equals_in_their_order() -> None:
    assert SCORED.best(2).tolist() == [5, 2]
    assert SCORED.best(9).tolist() == [5, 2, 9]
    assert NOTHING.best(2).tolist() == []


def test_rows_without_a_score_are_unknown() -> None:
    asked = np.array([9, 0, 5, 99])
    assert SCORED.of(asked) == pytest.approx([1.0, np.nan, 3.0, np.nan], nan_ok=True)
    assert SCORED.of(asked, unknown=0.0).tolist() == [1.0, 0.0, 3.0, 0.0]
    assert SCORED.of(asked).dtype == NOTHING.of(asked).dtype == np.float32
    assert NOTHING.of(asked, unknown=0.0).tolist() == [0.0] * 4
