from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommender.training import spread


def test_the_spread_is_that_of_a_sum_of_independent_choices() -> None:
    # Half of the users took item 0, a quarter item 1, all item 2: variances 0.25, 0.1875 and 0.
    neighbours = sparse.csr_matrix(np.array([[0, 2, 0], [4, 0, 0], [3, 8, 0]], dtype=np.float32))
    found = spread.train(neighbours, np.array([4, 2, 8], dtype=np.float32), n_users=8)
    assert found == pytest.approx([np.sqrt(16 * 0.1875), np.sqrt(4 * 0.25), 0])
    assert found.dtype == np.float32
