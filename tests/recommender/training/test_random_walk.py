from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from recommender.training import random_walk
from recommender.training.random_walk import RandomWalkParameters

SEEN = [[1, 1, 0], [0, 1, 1]]
"""Users × items: one takes a and b, the other b and c."""


def weights(seen: ArrayLike, **parameters: float) -> NDArray[np.float32]:
    made = RandomWalkParameters(**parameters)  # type: ignore[arg-type] # mixed int and float
    trained = random_walk.train(sparse.csr_matrix(np.array(seen, dtype=np.float32)), made)
    assert trained.dtype == np.float32
    dense: NDArray[np.float32] = trained.toarray()
    return dense


def test_weights_are_the_chances_of_a_walk_of_three_steps() -> None:
    # From a to its one user, from him to b with a half; from b to either user with a half, from him on with a half.
    assert weights(SEEN, beta=0) == pytest.approx(np.array([[0, 1 / 2, 0], [1 / 4, 0, 1 / 4], [0, 1 / 2, 0]]))


def test_popular_items_are_held_back() -> None:
    # Two users took b.
    assert weights(SEEN, beta=1) == pytest.approx(np.array([[0, 1 / 4, 0], [1 / 4, 0, 1 / 4], [0, 1 / 4, 0]]))
    assert weights(SEEN, beta=0.5)[0, 1] == pytest.approx(1 / 8**0.5)


def test_steps_can_be_bent() -> None:
    # 1^α · (1/2)^α to b, (1/2)^α · (1/2)^α away from it.
    assert weights(SEEN, alpha=2, beta=0) == pytest.approx(
        np.array([[0, 1 / 4, 0], [1 / 16, 0, 1 / 16], [0, 1 / 4, 0]])
    )


def test_what_counts_is_who_took_it_not_how_much() -> None:
    assert weights(np.array(SEEN) * 7).tolist() == weights(SEEN).tolist()


def test_only_the_strongest_neighbours_are_kept() -> None:
    # From a, the walk ends at b by either of two users and at c by one.
    seen = [[1, 1, 1], [1, 1, 0]]
    assert weights(seen, beta=0)[0] == pytest.approx([0, 1 / 6 + 1 / 4, 1 / 6])
    assert weights(seen, beta=0, neighbours=1)[0] == pytest.approx([0, 1 / 6 + 1 / 4, 0])


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights(SEEN)
    monkeypatch.setattr(random_walk, "BLOCK", 2)
    assert weights(SEEN).tolist() == whole.tolist()


@pytest.mark.parametrize("seen", [[[1]], [[0, 0]], np.eye(3)])
def test_where_nobody_took_two_items_no_walk_leads_anywhere(seen: ArrayLike) -> None:
    assert not weights(seen).any()
