from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from recommender.training.report import readable, report, reports
from tests.recommender.worlds import interactions_of


def rows(*lists: list[int]) -> list[np.ndarray]:
    return [np.array(one, dtype=np.int64) for one in lists]


def measured(**change: Any) -> dict[str, Any]:
    """Return the report on three users and five items: a newcomer, one with three items, one with five."""
    given: dict[str, Any] = {
        "lists": rows([0, 1], [2, 0], [3, 2]),
        "relevant": rows([4], [2], [2, 3]),
        "history_lengths": np.array([0, 3, 5]),
        "item_popularity": np.array([4.0, 2, 1, 1, 0]),
        "vectors": np.array([[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]], dtype=np.float32),
        "popular_lists": rows([0, 1], [0, 2], [0, 1]),
        "k": 2,
        **change,
    }
    return report(given.pop("lists"), given.pop("relevant"), **given)


def means(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figure["mean"] for name, figure in figures.items()}


def test_three_users_by_hand() -> None:
    found = measured()
    assert (found["k"], found["users"]) == (2, 3)
    # Nothing for the newcomer, the first of one for the second, both of two for the third.
    assert means(found["accuracy"]) == {
        "ndcg": pytest.approx(2 / 3, abs=1e-6),
        "recall": pytest.approx(2 / 3, abs=1e-6),
        "precision": 0.5,
        "average_precision": pytest.approx(2 / 3, abs=1e-6),
        "reciprocal_rank": pytest.approx(2 / 3, abs=1e-6),
        "hit_rate": pytest.approx(2 / 3, abs=1e-6),
    }
    assert means(found["beyond_accuracy"]) == {
        # Distances of 1, 0 and 0.
        "intra_list_diversity": pytest.approx(1 / 3, abs=1e-6),
        # Bits: (1 + 2) / 2, (3 + 1) / 2, (3 + 3) / 2.
        "novelty": pytest.approx(6.5 / 3, abs=1e-6),
        # Only the third is right about what the popular list does not show, twice of two.
        "serendipity": pytest.approx(1 / 3, abs=1e-6),
        # Percentiles: 0.9, 0.7, 0.4, 0.4 and 0.1.
        "popularity_bias": pytest.approx((0.8 + 0.65 + 0.4) / 3, abs=1e-6),
        "average_popularity": pytest.approx((3 + 2.5 + 1) / 3, abs=1e-6),
        "coverage": 0.8,
        # Shown 0, 1, 1, 2 and 2 times, weighted −4, −2, 0, 2 and 4.
        "gini": pytest.approx((-2 * 1 + 0 * 1 + 2 * 2 + 4 * 2) / (5 * 6), abs=1e-6),
        # All five are cold, four are shown.
        "cold_item_coverage": 0.8,
    }


def test_segments_have_figures_of_their_own() -> None:
    found = measured()["segments"]
    assert {
        name: (one["users"], one["shortest_history"], one["longest_history"], one["accuracy"]["recall"]["mean"])
        for name, one in found.items()
    } == {"new": (1, 0, 0, 0.0), "light": (1, 3, 3, 1.0), "heavy": (1, 5, 5, 1.0)}


def test_segments_without_users_are_left_out() -> None:
    assert set(measured(history_lengths=np.array([2, 2, 2]))["segments"]) == {"light"}


def test_coverage_can_be_a_share_of_fewer_items() -> None:
    assert measured(catalogue_size=4)["beyond_accuracy"]["coverage"]["mean"] == 1.0


def test_intervals_are_around_means_over_users_only() -> None:
    found = measured()
    # One draw in 27 has the newcomer only, eight have him not at all.
    assert found["accuracy"]["hit_rate"] == {"mean": 0.666667, "low": 0.0, "high": 1.0}
    assert found["segments"]["heavy"]["accuracy"]["hit_rate"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert found["beyond_accuracy"]["gini"]["low"] is None


def test_it_can_be_stored_and_is_the_same_each_time() -> None:
    found = measured()
    assert json.loads(json.dumps(found, allow_nan=False)) == found == measured()


def test_nothing_shown_has_no_figures_beyond_accuracy() -> None:
    found = measured(lists=rows([], [], []))
    assert set(means(found["accuracy"]).values()) == {0.0}
    beyond = means(found["beyond_accuracy"])
    assert (beyond["novelty"], beyond["gini"], beyond["coverage"], beyond["serendipity"]) == (None, None, 0.0, 0.0)


def test_nobody_can_be_measured() -> None:
    found = measured(lists=[], relevant=[], history_lengths=np.array([], dtype=np.int64), popular_lists=[])
    assert (found["users"], found["segments"]) == (0, {})
    assert set(means(found["accuracy"]).values()) == {None}


def test_several_lists_are_measured_by_what_was_trained_on() -> None:
    """User 0 took items 0 and 1, user 1 item 0; user 7 is new. Of four items, 2 and 3 were never taken."""
    history = interactions_of((0, 0), (0, 1), (1, 0), n_items=4)
    found = reports(
        {"final": rows([2], [1], [0]), "popular": rows([2], [1], [1])},
        rows([2], [1], [0]),
        history=history,
        users=[0, 1, 7],
        vectors=np.eye(4, dtype=np.float32),
        k=1,
    )
    assert set(found) == {"final", "popular"}
    final = found["final"]
    assert {
        name: (one["users"], one["longest_history"], one["accuracy"]["ndcg"]["mean"])
        for name, one in final["segments"].items()
    } == {"new": (1, 0, 1.0), "light": (1, 1, 1.0), "heavy": (1, 2, 1.0)}
    # Of three interactions item 0 has two, item 1 one and item 2 counts as one.
    assert final["beyond_accuracy"]["average_popularity"]["mean"] == 1.0
    # Only the new user's is right and not what the popular list shows.
    assert final["beyond_accuracy"]["serendipity"]["mean"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["popular"]["beyond_accuracy"]["serendipity"]["mean"] == 0.0


def test_what_cannot_be_compared_is_left_out() -> None:
    assert measured(popular_lists=None)["beyond_accuracy"]["serendipity"]["mean"] is None
    assert measured(vectors=None)["beyond_accuracy"]["intra_list_diversity"]["mean"] is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.12344, "0.1234"), (1, "1.0000"), (12.345, "12.35"), (1234.5, "1,234.50"), (None, "–")]
)
def test_figures_are_read_easily(value: float | None, text: str) -> None:
    assert readable(value) == text
