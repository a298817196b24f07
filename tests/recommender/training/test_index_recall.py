from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.pipeline import recipes
from recommender.registry.artifacts import Bundle
from recommender.sources.collaborative import Collaborative
from recommender.training import index_recall
from recommender.training.evaluation import history_of
from recommender.training.index_recall import NotingIndex
from recommender.vector_index.base import Exclusion, Rows, Scores, Vectors
from recommender.vector_index.brute_force import ExactIndex
from tests.recommender.worlds import bundle_of, catalogue_of, interactions_of, query_of

FACTORS = [[1.0, 0.0], [0.8, 0.1], [0.0, 1.0], [0.2, 0.9]]
CATALOGUE = catalogue_of({}, {}, {}, {})
BUNDLE = bundle_of([10, 20, 30, 40], factors=FACTORS, vectors=[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
DATA = interactions_of((0, 0), (0, 1), (1, 2), n_items=4)


class Losing(ExactIndex):
    """Never finds the first row."""

    exact = False

    def search(
        self, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        return super().search(query, k, exclude=np.array([0]))


def losing(*names: str) -> Bundle:
    """Return the bundle with the first row missing from these indexes."""
    lost = {name: Losing(BUNDLE.indexes[name].vectors, BUNDLE.indexes[name].metric) for name in names}
    return replace(BUNDLE, indexes={**BUNDLE.indexes, **lost})


@pytest.mark.parametrize("name", ["content", "collaborative", "collaborative_items"])
def test_an_index_that_loses_one_of_four_has_a_recall_of_three_quarters(name: str) -> None:
    recalls = index_recall.measure(losing(name), CATALOGUE, DATA, seed=1)
    assert recalls == {"content": 1.0, "collaborative": 1.0, "collaborative_items": 1.0} | {name: 0.75}


def test_the_collaborative_index_is_asked_with_folded_in_users(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, list[list[float]]] = {}
    taken = NotingIndex.search

    def search(
        self: NotingIndex, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        asked.setdefault("dot" if self.metric == "dot" else "cosine", []).append(query.tolist())
        return taken(self, query, k, exclude=exclude)

    monkeypatch.setattr(NotingIndex, "search", search)
    index_recall.measure(BUNDLE, CATALOGUE, DATA, seed=1)
    starts = DATA.user_starts()
    (source,) = (slot.source for slot in recipes.get("personalized").sources if slot.source.name == "collaborative")
    assert isinstance(source, Collaborative)
    folded = [source._vector(query_of(CATALOGUE, BUNDLE, history=history_of(DATA, starts, user))) for user in range(2)]
    assert sorted(asked["dot"]) == pytest.approx(np.array(sorted(vector.tolist() for vector in folded)))


def test_an_index_that_nobody_asks_is_left_out() -> None:
    nobody = interactions_of((0, 0), n_items=4).take(np.array([False]))
    recalls = index_recall.measure(BUNDLE, CATALOGUE, nobody, seed=1)
    assert recalls == {"content": 1.0, "collaborative_items": 1.0}
