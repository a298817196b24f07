from __future__ import annotations

import numpy as np
import pytest

from recommender.contracts import History
from recommender.training.evaluation import evaluate, history_of
from tests.recommender.worlds import bundle_of, catalogue_of, interactions_of

CATALOGUE = catalogue_of(*({"category": "film"} for _ in range(4)))
WEIGHTS = np.zeros((4, 4))
WEIGHTS[0, 1], WEIGHTS[0, 2], WEIGHTS[1, 3] = 0.9, 0.5, 0.7
BUNDLE = bundle_of([10, 20, 30, 40], item_to_item=WEIGHTS, popularity=[0, 1, 5, 1])
PAST = interactions_of((0, 0), (1, 0), (1, 1), n_items=4)


def test_a_history_is_what_serving_would_know() -> None:
    starts = PAST.user_starts()
    known = history_of(PAST, starts, 1)
    assert (known.rows.tolist(), known.weights.tolist(), known.occurred_at.tolist(), known.seen.tolist()) == (
        [1, 0], [1.0, 1.0], [2.0, 1.0], [0, 1],
    )  # fmt: skip
    assert len(history_of(PAST, starts, 7).rows) == len(History.empty().rows) == 0


def test_final_lists_and_single_sources_are_measured(settings: object) -> None:
    settings.RECOMMENDER_RECIPES = {  # type: ignore[attr-defined]
        "personalized": {
            "sources": {"item_to_item": {"weight": 1.0}, "popular": {"weight": 0.001}},
            "filters": ["unavailable", "excluded", "seen"],
            "scorers": ["weighted_blend"],
            "rerankers": ["business_rules"],
        }
    }
    done: list[int] = []
    found = evaluate(
        BUNDLE,
        CATALOGUE,
        PAST,
        [np.array([1]), np.array([2]), np.array([1])],
        [0, 1, 9],
        k=1,
        progress=lambda: done.append(1),
    )
    # User 0 (took a): b, c, then d; user 1 (took a and b): d before c; nobody known: by popularity c, then b and d.
    assert [rows.tolist() for rows in found.lists] == [[1, 2, 3], [3, 2], [2, 1, 3, 0]]
    assert (found.final.hit_rate, found.final.users, found.final.coverage) == (pytest.approx(1 / 3), 3, 0.75)
    assert set(found.sources) == {"item_to_item", "popular"}
    # By popularity alone both known users get c first.
    assert found.sources["popular"].hit_rate == pytest.approx(1 / 3)
    assert found.sources["popular"].coverage == 0.25
    # The matrix alone has nothing for an unknown user.
    assert found.sources["item_to_item"].hit_rate == pytest.approx(1 / 3)
    assert found.sources["item_to_item"].coverage == 0.5
    assert len(done) == 3
    assert set(found.reports) == {"final", "item_to_item", "popular"}
    # User 0's first is right, and popularity alone would have shown him another.
    final = found.reports["final"]
    assert final["accuracy"]["hit_rate"]["mean"] == final["beyond_accuracy"]["serendipity"]["mean"] == 0.333333
    assert {name: one["users"] for name, one in final["segments"].items()} == {"new": 1, "light": 1, "heavy": 1}
