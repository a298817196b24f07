from __future__ import annotations

import numpy as np
import pytest

from recommender.training import session
from recommender.training.session import SessionParameters
from tests.recommender.worlds import interactions_of

PLAIN = SessionParameters(window=2, smoothing=0.0, neighbours=10)


def test_transitions_count_by_their_distance_in_one_users_order() -> None:
    # User 0: a b c; user 1: b c. Two users have b and c, one has a.
    data = interactions_of((0, 0), (0, 1), (0, 2), (1, 1), (1, 2))
    trained = session.train(data, PLAIN).toarray()
    # a→b: 1/√(1·2); a→c: two steps, ½/√(1·2); b→c: twice, 2/√(2·2).
    expected = [[0, 1 / 2**0.5, 0.5 / 2**0.5], [0, 0, 1.0], [0, 0, 0]]
    assert trained == pytest.approx(np.array(expected))
    assert trained.dtype == np.float32


def test_smoothing_keeps_rare_pairs_from_looking_certain() -> None:
    data = interactions_of((0, 0), (0, 1), (0, 2), (1, 1), (1, 2))
    trained = session.train(data, SessionParameters(window=2, smoothing=2.0, neighbours=10)).toarray()
    # Every count is raised by 2: a→b 1/√(3·4), b→c 2/√(4·4).
    assert (trained[0, 1], trained[1, 2]) == (pytest.approx(12**-0.5), pytest.approx(0.5))


def test_beyond_the_window_nothing_counts() -> None:
    data = interactions_of((0, 0), (0, 1), (0, 2), (0, 3))
    trained = session.train(data, SessionParameters(window=1, smoothing=0.0, neighbours=10)).toarray()
    assert np.flatnonzero(trained).tolist() == [1, 6, 11]


def test_the_step_from_one_user_to_the_next_is_none() -> None:
    trained = session.train(interactions_of((0, 0), (1, 1)), PLAIN)
    assert trained.shape == (2, 2)
    assert trained.nnz == 0


def test_only_the_strongest_are_kept() -> None:
    data = interactions_of((0, 0), (0, 1), (0, 2))
    trained = session.train(data, SessionParameters(window=2, smoothing=0.0, neighbours=1)).toarray()
    assert trained.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
