from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.contracts import Query
from recommender.sources.embeddings import Embeddings
from recommender.vector_index.brute_force import ExactIndex
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {}, {})
# Model rows are the catalogue's a, b, c, d; e is newer than the model, and 99 has been deleted since.
PKS = [10, 20, 30, 40, 99]
SPACES = {
    "audio": (0.5, {0: [2.0, 0.0], 1: [0.6, 0.8], 4: [1.0, 0.0]}),
    "text": (0.3, {0: [1.0, 0.0], 1: [0.8, 0.6], 2: [1.0, 0.0]}),
    "metadata": (0.2, {0: [1.0, 0.0], 1: [0.0, 1.0], 2: [0.6, 0.8]}),
}
BUNDLE = bundle_of(PKS, embeddings=SPACES)
EVERYTHING = np.arange(5)
# Like a: itself 1; b 0.5 × 0.6 + 0.3 × 0.8 + 0.2 × 0; c, which has no audio, (0.3 × 1 + 0.2 × 0.6) / 0.5.
LIKE_A = [1.0, 0.54, 0.84, np.nan, np.nan]
# Like b: a the same as b like a; c (0.3 × 0.8 + 0.2 × 0.8) / 0.5.
LIKE_B = [0.54, 1.0, 0.8, np.nan, np.nan]


def query(**fields: object) -> Query:
    return query_of(CATALOGUE, BUNDLE, **fields)


def test_spaces_are_blended_by_weight_over_those_that_both_items_have() -> None:
    assert Embeddings().score(query(seed=0), EVERYTHING) == pytest.approx(LIKE_A, nan_ok=True)
    assert Embeddings().score(query(seed=1), EVERYTHING) == pytest.approx(LIKE_B, nan_ok=True)


def test_a_seed_that_lacks_a_space_is_compared_in_the_others() -> None:
    # c has no audio: with b as above, and nothing is said of 99, which has nothing else.
    assert Embeddings().score(query(seed=2), EVERYTHING) == pytest.approx([0.84, 0.8, 1.0, np.nan, np.nan], nan_ok=True)


def test_a_history_counts_by_its_weights() -> None:
    asked = query(history=history_of([0, 3, 1], [3.0, 5.0, 1.0]))
    # d has no vector anywhere and takes no share.
    expected = [0.75 * one + 0.25 * other for one, other in zip(LIKE_A, LIKE_B, strict=True)]
    assert Embeddings().score(asked, EVERYTHING) == pytest.approx(expected, nan_ok=True)
    assert Embeddings().contributions(asked, np.array([1, 2])) == pytest.approx(
        np.array([[0.75 * 0.54, 0.75 * 0.84], [0.0, 0.0], [0.25, 0.25 * 0.8]])
    )


def test_a_recipe_may_state_other_weights() -> None:
    # Of a and b: 0.6 in audio alone; of a and c nothing, c has no audio.
    assert Embeddings(weights={"audio": 2.0, "video": 1.0, "text": 0.0}).score(
        query(seed=0), EVERYTHING
    ) == pytest.approx([1.0, 0.6, np.nan, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), "1", None])
def test_a_weight_that_is_none_is_named(weight: object) -> None:
    with pytest.raises(ValueError, match=r"the weight of 'audio' is .*; it must be a number of 0 or more"):
        Embeddings(weights={"audio": weight})  # type: ignore[dict-item]


def test_each_space_proposes_and_all_spaces_judge() -> None:
    assert Embeddings().retrieve(query(seed=0), 10).tolist() == [0, 2, 1]
    assert Embeddings().retrieve(query(seed=0), 2).tolist() == [0, 2]
    # In audio the nearest but the seed is the deleted one, which nobody may see.
    assert Embeddings(weights={"audio": 1.0}).retrieve(query(seed=0), 2).tolist() == [0]


def test_it_needs_an_item_with_a_vector() -> None:
    assert Embeddings().enabled(query(seed=0))
    assert not Embeddings().enabled(query(seed=3))
    assert not Embeddings().enabled(query(seed=4))
    assert not Embeddings().enabled(query())
    assert not Embeddings().enabled(query_of(CATALOGUE, bundle_of(PKS), seed=0))
    assert not Embeddings().enabled(query_of(CATALOGUE, None, seed=0))


def test_inner_products_are_not_brought_to_length_one() -> None:
    loud = ExactIndex(np.array([[2.0, 0.0], [0.6, 0.8], [1.0, 0.0]], dtype=np.float32), "dot")
    bundle = replace(BUNDLE, indexes={**BUNDLE.indexes, "embedding.audio": loud})
    asked = query_of(CATALOGUE, bundle, seed=0)
    assert Embeddings(weights={"audio": 1.0}).score(asked, np.array([0, 1])) == pytest.approx([4.0, 1.2])
