from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest

from recommender.training import beyond_accuracy

POPULARITY = np.array([4.0, 2, 1, 1, 0])
"""Of eight interactions: half, a quarter, an eighth, an eighth and none."""


def top(*lists: list[int]) -> np.ndarray:
    """Return lists of one length; -1 fills them up."""
    return np.array(lists, dtype=np.int64)


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    """Items 0 and 2 point one way, 1 across; 3 says nothing; the last list has no pair."""
    vectors = np.array([[2, 0], [0, 3], [1, 0], [0, 0]], dtype=np.float32)
    lists = top([0, 1, -1], [0, 2, -1], [0, 1, 2], [0, 3, -1], [0, -1, -1])
    found = beyond_accuracy.intra_list_diversity(lists, vectors)
    assert found.tolist() == pytest.approx([1, 0, 2 / 3, 1, nan], nan_ok=True)


def test_opposites_are_two_apart() -> None:
    vectors = np.array([[1, 0], [-5, 0]], dtype=np.float32)
    assert beyond_accuracy.intra_list_diversity(top([0, 1]), vectors).tolist() == [2]


def test_novelty_is_counted_in_bits() -> None:
    """1, 2, 3, 3 bits; what nobody has taken has the 3 of one interaction in eight."""
    found = beyond_accuracy.novelty(top([0, 1], [2, 4], [3, -1], [-1, -1]), POPULARITY)
    assert found.tolist() == pytest.approx([1.5, 3, 3, nan], nan_ok=True)


def test_popularity_bias_is_a_percentile() -> None:
    """Of five items: four below the first and itself half → 0.9; then 0.7, twice 0.4, 0.1."""
    found = beyond_accuracy.popularity_bias(top([0, 1], [2, 3], [4, -1], [-1, -1]), POPULARITY)
    assert found.tolist() == pytest.approx([0.8, 0.4, 0.1, nan], nan_ok=True)


def test_a_list_of_all_items_has_no_bias() -> None:
    assert beyond_accuracy.popularity_bias(top([0, 1, 2, 3, 4]), POPULARITY).tolist() == pytest.approx([0.5])


def test_average_popularity_counts_interactions() -> None:
    found = beyond_accuracy.average_popularity(top([0, 1], [4, -1], [-1, -1]), POPULARITY)
    assert found.tolist() == pytest.approx([3, 0, nan], nan_ok=True)


def test_what_is_popular_anyway_is_not_serendipitous() -> None:
    """Items 1 and 3 are right and 1 is popular: one of four. Nothing fills a list up into a surprise."""
    hit = np.array([[True, False, True, False], [False] * 4])
    popular = top([5, 6, 7, 1], [-1, -1, -1, -1])
    assert beyond_accuracy.serendipity(top([1, 2, 3, 4], [1, -1, -1, -1]), hit, popular).tolist() == [0.25, 0]


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        # Shown 2, 1, 1 and 0 times: (−1 + 1 + 3 · 2) / (4 · 4).
        (top([0, 1], [0, 2]), 0.375),
        (top([0, 1], [2, 3]), 0.0),
        # One of four only: (n − 1) / n.
        (top([3, -1], [3, -1]), 0.75),
        (top([-1, -1]), nan),
    ],
)
def test_gini_says_how_unevenly_items_are_shown(lists: np.ndarray, expected: float) -> None:
    assert beyond_accuracy.gini(lists, 4) == pytest.approx(expected, nan_ok=True)


def test_cold_items_are_counted_once_somebody_is_shown_them() -> None:
    """Below five are items 2 and 3; item 2 is shown, twice."""
    popularity = np.array([9.0, 5, 4, 0])
    assert beyond_accuracy.cold_item_coverage(top([0, 2], [2, -1]), popularity) == 0.5
    assert beyond_accuracy.cold_item_coverage(top([0, 2]), popularity, cold_below=1) == 0
    assert isnan(beyond_accuracy.cold_item_coverage(top([0]), popularity[:2]))
