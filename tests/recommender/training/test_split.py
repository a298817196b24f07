from __future__ import annotations

import pytest

from recommender.training.split import last_share_by_user
from tests.recommender.worlds import interactions_of


def test_each_users_newest_fifth_is_held_out() -> None:
    data = interactions_of(
        *[(0, item) for item in range(10)], (1, 0), (1, 1), (1, 2), (1, 3), *[(3, i) for i in range(5)]
    )
    held_out = last_share_by_user(data)
    # Two of ten, none of four, none of nobody, one of five.
    assert held_out.tolist() == [False] * 8 + [True] * 2 + [False] * 4 + [False] * 4 + [True]


@pytest.mark.parametrize(("pairs", "held_out"), [(4, 0), (5, 1), (9, 1), (10, 2), (15, 3), (35, 7), (45, 9)])
def test_the_share_is_rounded_down(pairs: int, held_out: int) -> None:
    data = interactions_of(*[(0, item) for item in range(pairs)])
    assert int(last_share_by_user(data).sum()) == held_out
