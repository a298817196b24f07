from __future__ import annotations

from math import log2

import numpy as np
import pytest

from recommender.training.metrics import Metrics, counts, hits, measure, padded, per_user


def measured(lists: list[list[int]], relevant: list[list[int]], k: int = 3, catalogue_size: int = 10) -> Metrics:
    def rows(of: list[list[int]]) -> list[np.ndarray]:
        return [np.array(one, dtype=np.int64) for one in of]

    return measure(rows(lists), rows(relevant), k=k, catalogue_size=catalogue_size)


def test_one_list_by_hand() -> None:
    # Hits at positions 1 and 3 of 3, of 4 relevant items; item 9 at position 4 is beyond k.
    found = measured([[1, 2, 3, 9]], [[1, 3, 8, 9]])
    ideal = 1 + 1 / log2(3) + 1 / 2
    assert found == Metrics(
        ndcg=pytest.approx((1 + 1 / 2) / ideal),
        recall=2 / 4,
        precision=pytest.approx(2 / 3),
        average_precision=pytest.approx((1 / 1 + 2 / 3) / 3),
        reciprocal_rank=1.0,
        hit_rate=1.0,
        coverage=3 / 10,
        users=1,
    )


def test_fewer_relevant_items_than_k_can_still_be_perfect() -> None:
    found = measured([[4, 5, 6]], [[5, 4]])
    assert (found.ndcg, found.recall, found.average_precision, found.reciprocal_rank) == (
        pytest.approx(1.0), 1.0, pytest.approx(1.0), 1.0,
    )  # fmt: skip
    assert found.precision == pytest.approx(2 / 3)


def test_a_late_hit_counts_less() -> None:
    found = measured([[1, 2, 3]], [[3]])
    assert (found.ndcg, found.average_precision, found.reciprocal_rank) == (
        pytest.approx(1 / 2), pytest.approx(1 / 3), pytest.approx(1 / 3),
    )  # fmt: skip


def test_short_and_empty_lists_are_misses() -> None:
    found = measured([[], [7]], [[1], [7, 8]])
    assert (found.ndcg, found.recall, found.precision) == (
        pytest.approx((1 / (1 + 1 / log2(3))) / 2), (0 + 1 / 2) / 2, pytest.approx((0 + 1 / 3) / 2),
    )  # fmt: skip
    assert (found.hit_rate, found.reciprocal_rank, found.coverage, found.users) == (0.5, 0.5, 0.1, 2)


def test_an_item_that_could_not_be_ranked_is_a_miss() -> None:
    assert measured([[1, 2]], [[1, -7]]).recall == 0.5


def test_means_are_taken_over_users_and_coverage_over_all_lists() -> None:
    found = measured([[1, 2], [2, 3]], [[1], [9]], k=2)
    assert (found.hit_rate, found.precision, found.coverage) == (0.5, 0.25, 0.3)


def test_nobody_is_measured_as_nothing() -> None:
    assert measured([], []) == Metrics(
        ndcg=0, recall=0, precision=0, average_precision=0, reciprocal_rank=0, hit_rate=0, coverage=0, users=0
    )


def test_figures_are_rounded_for_the_report() -> None:
    report = measured([[1, 2, 3]], [[3]]).as_dict()
    assert report["reciprocal_rank"] == 0.333333
    assert set(report) == {
        "ndcg", "recall", "precision", "average_precision", "reciprocal_rank", "hit_rate", "coverage", "users",
    }  # fmt: skip


def rows(*lists: list[int]) -> list[np.ndarray]:
    return [np.array(one, dtype=np.int64) for one in lists]


def test_lists_are_cut_or_filled_up() -> None:
    expected = [[1, 2], [3, -1], [-1, -1]]
    assert padded(rows([1, 2, 9], [3], []), 2).tolist() == expected
    assert padded(np.array([[1, 2, 9], [3, -1, -1], [-1, -1, -1]]), 2).tolist() == expected
    assert padded([], 2).shape == (0, 2)


def test_a_hit_is_the_users_own() -> None:
    """Each has the other's item second; what fills a list up is no hit, not even on an item that nobody could rank."""
    relevant = rows([1, 5], [2, 4], [-1, 0])
    assert hits(padded(rows([1, 2, 3], [4, 1, 2], [3]), 3), relevant).tolist() == [
        [True, False, False],
        [True, False, True],
        [False, False, False],
    ]


def test_figures_of_each_user_by_hand() -> None:
    """The first has rank 2 of one relevant item, the second ranks 1 and 2 of three, the third nothing."""
    relevant = rows([8], [1, 2, 3], [4])
    found = per_user(hits(padded(rows([7, 8], [1, 2], [5, 6]), 2), relevant), counts(relevant))
    assert {name: values.tolist() for name, values in found.items()} == {
        "ndcg": pytest.approx([1 / log2(3), 1.0, 0.0]),
        "recall": pytest.approx([1.0, 2 / 3, 0.0]),
        "precision": [0.5, 1.0, 0.0],
        "average_precision": [0.5, 1.0, 0.0],
        "reciprocal_rank": [0.5, 1.0, 0.0],
        "hit_rate": [1.0, 1.0, 0.0],
    }
