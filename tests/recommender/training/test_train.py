from __future__ import annotations

import numpy as np
import pytest
from pytest_django import Settings

from recommender.exceptions import NotEnoughData
from recommender.training.train import train
from recommender.training.trial import opened
from tests.recommender.worlds import catalogue_of, interactions_of

CATALOGUE = catalogue_of(
    {"tags": ["heist"]}, {"tags": ["heist"]}, {"tags": ["spoof"]}, {"tags": ["spoof"]}, {"tags": ["space"]}
)
DATA = interactions_of((0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), n_items=5)


def test_every_model_is_built_in_the_rows_of_the_catalogue() -> None:
    stages: list[str] = []
    trained = train(DATA, CATALOGUE.pks, CATALOGUE.cards, stages.append)
    assert stages == [
        "popularity", "content", "collaborative", "item to item", "item to item balanced", "random walk", "next items",
        "session", "vector indexes",
    ]  # fmt: skip
    assert trained.arrays["item_pks"].tolist() == [10, 20, 30, 40, 50]
    assert trained.arrays["popularity"].tolist() == [2, 2, 2, 2, 0]
    assert {name: len(array) for name, array in trained.arrays.items() if name.endswith((".vectors", ".factors"))} == {
        "content.vectors": 5,
        "collaborative.factors": 5,
    }
    matrices = {name.removesuffix(".indptr") for name in trained.arrays if name.endswith(".indptr")}
    assert matrices == {"item_to_item", "item_to_item_balanced", "next_items", "random_walk", "session"}
    assert {len(trained.arrays[f"{name}.indptr"]) for name in matrices} == {6}
    assert len(trained.arrays["item_to_item.spread"]) == 5
    factors = trained.arrays["collaborative.factors"].astype(np.float64)
    assert trained.arrays["collaborative.gram"] == pytest.approx(factors.T @ factors)
    assert set(trained.indexes) == {"content", "collaborative", "collaborative_items"}
    assert (trained.meta["users"], trained.meta["items"], trained.meta["interactions"]) == (4, 5, 8)
    assert trained.meta["collaborative"]["alpha"] == 1.0


def test_without_events_only_what_items_say_is_learnt() -> None:
    trained = train(DATA.take(np.zeros(8, dtype=bool)), CATALOGUE.pks, CATALOGUE.cards)
    words = {"content.terms", "content.idf", "content.components"}
    assert set(trained.arrays) == {"item_pks", "popularity", "content.vectors", *words}
    assert set(trained.indexes) == {"content"}
    assert not trained.arrays["popularity"].any()


def test_users_are_kept_for_a_recipe_that_asks_similar_ones(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {"personalized": {"sources": {"similar_users": {}}}}
    trained = train(DATA, CATALOGUE.pks, CATALOGUE.cards)
    assert trained.arrays["similar_users.indptr"].tolist() == [0, 2, 4, 6, 8]
    assert trained.arrays["similar_users.indices"].tolist() == [0, 1, 0, 1, 2, 3, 2, 3]
    with opened(trained) as bundle:
        assert (bundle.indexes["similar_users"].rows, bundle.indexes["similar_users"].metric) == (4, "cosine")


def test_a_model_that_no_recipe_asks_for_is_not_trained(settings: Settings) -> None:
    settings.RECOMMENDER_RECIPES = {
        "personalized": {"sources": {"random_walk": {}, "popular": {}}},
        "similar": {"sources": {"content": {}}},
    }
    stages: list[str] = []
    trained = train(DATA, CATALOGUE.pks, CATALOGUE.cards, stages.append)
    assert stages == ["popularity", "content", "random walk", "vector indexes"]
    assert {name for name in trained.arrays if name.endswith((".indptr", ".factors"))} == {"random_walk.indptr"}
    assert set(trained.indexes) == {"content"}


def test_without_items_there_is_nothing_to_learn() -> None:
    empty = catalogue_of()
    with pytest.raises(NotEnoughData, match=r"^The catalogue is empty: import items first \(manage.py import_dataset"):
        train(interactions_of((0, 0)), empty.pks, empty.cards)


def test_a_trial_opens_what_would_be_served_and_leaves_no_files() -> None:
    trained = train(DATA, CATALOGUE.pks, CATALOGUE.cards)
    with opened(trained) as bundle:
        assert bundle.item_pks.tolist() == [10, 20, 30, 40, 50]
        rows, scores = bundle.indexes["content"].search(trained.arrays["content.vectors"][0], 2)
        assert sorted(rows.tolist()) == [0, 1]
        assert scores == pytest.approx([1.0, 1.0], abs=1e-5)
