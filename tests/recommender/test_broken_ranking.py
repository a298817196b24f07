"""A version whose learned ranking cannot be used still answers; so does one that has nobody left to rank for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.answering import answer
from recommender.contracts import Query
from recommender.ranking import learned
from recommender.ranking.features import names
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

CATALOGUE = catalogue_of(*({"category": "film"} for _ in range(6)))
WEIGHTS = np.zeros((6, 6))
WEIGHTS[0, 3] = 0.9
COLUMNS = ("item_to_item", "popular")


def asked(trees: bytes | None, **fields: Any) -> Query:
    """Return a request of somebody who took a, to a version that says its ranking is learned."""
    bundle = bundle_of([10, 20, 30, 40, 50, 60], item_to_item=WEIGHTS, popularity=[0, 1, 9, 3, 4, 5])
    ranking = {
        "kind": "learned", "weights": {"item_to_item": 1.0}, "columns": list(COLUMNS), "intercept": -2.0, "slope": 1.0,
    }  # fmt: skip
    arrays = dict(bundle.arrays)
    if trees is not None:
        arrays[learned.ARTEFACT] = np.frombuffer(trees, dtype=np.uint8)
    bundle = replace(bundle, meta={**bundle.meta, "ranking": ranking}, arrays=arrays)
    return query_of(CATALOGUE, bundle, **{"history": history_of([0]), **fields})


def written(columns: int) -> bytes:
    random = np.random.default_rng(2)
    rows = random.normal(size=(300, columns)).astype(np.float32)
    trees = learned.train(rows, rows[:, 0], rows[:, 1] > 0.5, [f"f{place}" for place in range(columns)], seed=1)
    return trees.text.encode()


@pytest.mark.parametrize(
    "trees",
    [None, b"", b"no trees at all, end of trees", written(len(names(COLUMNS)))[:2000], written(3)],
    ids=["missing", "empty", "damaged", "cut off", "of other features"],
)
def test_a_learned_ranking_that_cannot_be_used_is_left_out(trees: bytes | None) -> None:
    answered = answer("personalized", asked(trees), known=True)
    assert sorted(item.item_id for item in answered.items) == ["b", "c", "d", "e", "f"]
    assert not answered.fallback
    (failed,) = [step for step in answered.trace.as_dict()["stages"] if step["error"]]
    assert (failed["kind"], failed["error"].partition(":")[0]) == ("scorer", "ArtifactError")
    # The prior of a newcomer is left: what most people take.
    assert answered.items[0].item_id == "c"
    assert all(0 <= item.score <= 1 for item in answered.items)


def test_where_nothing_is_left_to_rank_the_fallback_answers() -> None:
    query = asked(written(len(names(COLUMNS))), history=history_of([0], seen=range(6)))
    answered = answer("personalized", query, known=True)
    assert (answered.items, answered.fallback_reason) == ((), "no_candidates")


def test_a_single_candidate_is_ranked() -> None:
    query = asked(written(len(names(COLUMNS))), history=history_of([0], seen=range(5)))
    answered = answer("personalized", query, known=True)
    assert [item.item_id for item in answered.items] == ["f"]
    assert 0 < answered.items[0].score < 1
