"""A version whose parts do not fit together is refused by the file that does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recommender.exceptions import ArtifactError
from recommender.registry import shapes
from recommender.vector_index.brute_force import ExactIndex

ITEMS = 3
FITTING: dict[str, np.ndarray] = {
    "popularity": np.ones(3, np.float32),
    "popularity_over_time.counts": np.ones((4, 3), np.float32),
    "item_to_item.spread": np.ones(3, np.float32),
    "item_to_item.indptr": np.array([0, 1, 1, 3]),
    "item_to_item.indices": np.array([1, 0, 2], np.int32),
    "item_to_item.data": np.ones(3, np.float32),
    "content.vectors": np.ones((3, 5), np.float32),
    "content.components": np.ones((5, 7), np.float32),
    "content.idf": np.ones(7, np.float32),
    "collaborative.factors": np.ones((3, 2), np.float32),
    "collaborative.gram": np.ones((2, 2)),
    "embedding.audio.rows": np.array([0, 2]),
    # Two users, of whom the first took items 0 and 2.
    "similar_users.indptr": np.array([0, 2, 2]),
    "similar_users.indices": np.array([0, 2], np.int32),
    "of_a_site": np.ones((9, 9)),
}


def index_of(rows: int, factors: int) -> ExactIndex:
    return ExactIndex(np.ones((rows, factors), np.float32), "dot")


INDEXES = {
    "content": index_of(3, 5),
    "collaborative": index_of(3, 2),
    "collaborative_items": index_of(3, 2),
    "embedding.audio": index_of(2, 64),
    "similar_users": index_of(2, 2),
}


def test_what_fits_is_let_through() -> None:
    shapes.check(FITTING, ITEMS, INDEXES)
    shapes.check({}, ITEMS, {})


@pytest.mark.parametrize(
    ("name", "array", "file"),
    [
        ("popularity", np.ones(2), "popularity"),
        ("popularity", np.ones((3, 1)), "popularity"),
        ("popularity_over_time.counts", np.ones((3, 4)), "popularity_over_time.counts"),
        ("item_to_item.spread", np.ones(4), "item_to_item.spread"),
        ("content.vectors", np.ones((2, 5)), "content.vectors"),
        ("content.components", np.ones((4, 7)), "content.components"),
        ("content.idf", np.ones(8), "content.idf"),
        ("collaborative.factors", np.ones((4, 2)), "collaborative.factors"),
        ("collaborative.gram", np.ones((2, 3)), "collaborative.gram"),
        ("item_to_item.indptr", np.array([0, 1, 3]), "item_to_item.indptr"),
        ("item_to_item.indptr", np.array([], np.int64), "item_to_item.indptr"),
        ("item_to_item.indptr", np.array([1, 1, 1, 3]), "item_to_item.indptr"),
        ("item_to_item.indptr", np.array([0, 2, 1, 3]), "item_to_item.indptr"),
        ("item_to_item.indptr", np.array([0, 1, 1, 4]), "item_to_item.indptr"),
        ("item_to_item.indptr", np.array([0.0, 1.0, 1.0, 3.0]), "item_to_item.indptr"),
        ("item_to_item.indices", np.array([1, 0, 3]), "item_to_item.indices"),
        ("item_to_item.indices", np.array([1, 0, -1]), "item_to_item.indices"),
        ("item_to_item.data", np.ones(2), "item_to_item.indices"),
        ("similar_users.indices", np.array([0, 3]), "similar_users.indices"),
        ("embedding.audio.rows", np.array([0, 3]), "embedding.audio.rows"),
        ("embedding.audio.rows", np.array([0]), "embedding.audio.rows"),
    ],
)
def test_an_array_that_does_not_fit_is_named(name: str, array: np.ndarray, file: str) -> None:
    refused({**FITTING, name: array}, INDEXES, f"{file}.npy")


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("content", index_of(4, 5)),
        ("content", index_of(3, 4)),
        ("collaborative", index_of(3, 3)),
        ("collaborative_items", index_of(3, 3)),
        ("similar_users", index_of(3, 2)),
    ],
)
def test_an_index_that_does_not_fit_is_named(name: str, index: ExactIndex) -> None:
    refused(FITTING, {**INDEXES, name: index}, f"index-{name}/index.json")


def refused(arrays: dict[str, np.ndarray], indexes: dict[str, Any], file: str) -> None:
    with pytest.raises(ArtifactError) as refusal:
        shapes.check(arrays, ITEMS, indexes)
    assert (refusal.value.file, refusal.value.check) == (file, "shape")
    assert str(refusal.value).startswith(f"{file}: ")
