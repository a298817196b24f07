"""The fold-in against the dense normal equations of Hu, Koren and Volinsky (2008), written out over all items."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.contracts import Query
from recommender.sources.collaborative import Collaborative
from tests.recommender.worlds import bundle_of, catalogue_of, history_of, query_of

PKS = [30, 10, 99, 20]
FACTORS = np.array([[1.0, 0.5], [0.0, 2.0], [3.0, 3.0], [1.0, -1.0]])
CATALOGUE = catalogue_of({}, {}, {}, {})
BUNDLE = bundle_of(PKS, factors=FACTORS, alpha=2.0, regularization=0.5)
EVERYTHING = np.arange(4)


def dense_user(confidence: dict[int, float]) -> NDArray[np.float64]:
    """Solve (Yᵀ Cᵘ Y + λI) x = Yᵀ Cᵘ p over all model items; unseen ones have confidence 1 and preference 0."""
    diagonal = np.diag([max(confidence.get(row, 1.0), 1.0) for row in range(4)])
    preferred = np.array([confidence.get(row, 0.0) for row in range(4)])
    solution: NDArray[np.float64] = np.linalg.solve(
        FACTORS.T @ diagonal @ FACTORS + 0.5 * np.eye(2), FACTORS.T @ preferred
    )
    return solution


def query(**fields: object) -> Query:
    return query_of(CATALOGUE, BUNDLE, **fields)


def test_the_user_is_folded_in_as_the_paper_says() -> None:
    # Catalogue rows 2 and 0 are model rows 0 and 1; confidence is α times the weight.
    vector = dense_user({0: 2.0 * 1.0, 1: 2.0 * 1.5})
    scores = Collaborative().score(query(history=history_of([2, 0], [1.0, 1.5])), EVERYTHING)
    expected = [FACTORS[1] @ vector, FACTORS[3] @ vector, FACTORS[0] @ vector, np.nan]
    assert scores == pytest.approx(expected, nan_ok=True, rel=1e-5)
    assert scores.dtype == np.float32


def test_an_old_event_pulls_less_but_never_pushes_away() -> None:
    # Half-life of one event: confidences 2·(1 + 0.1) and 2·(0.25 + 0.1) = 0.7, which counts 1 on the left side only.
    history = history_of([2, 3, 0])
    vector = dense_user({0: 2.2, 1: 0.7})
    scores = Collaborative(half_life=1).score(query(history=history), np.array([1]))
    assert scores == pytest.approx([FACTORS[3] @ vector], rel=1e-5)


def test_contributions_add_up_to_the_score() -> None:
    asked = query(history=history_of([2, 3, 0], [1.0, 1.0, 1.5]))
    source = Collaborative(half_life=2)
    parts = source.contributions(asked, EVERYTHING)
    assert parts is not None
    assert parts.shape == (3, 4)
    assert parts[:, :3].sum(axis=0) == pytest.approx(source.score(asked, EVERYTHING)[:3], rel=1e-5)
    # The history's second item and the last candidate are newer than the model.
    assert parts[1].tolist() == [0, 0, 0, 0]
    assert parts[:, 3].tolist() == [0, 0, 0]


def test_items_are_proposed_by_inner_product_without_deleted_ones() -> None:
    asked = query(history=history_of([2]))
    scores = Collaborative().score(asked, np.arange(3))
    assert Collaborative().retrieve(asked, 4).tolist() == np.argsort(-scores).tolist()
    # The best of all is model row 2, which has been deleted: asking for two leaves one.
    assert len(Collaborative().retrieve(query(history=history_of([2])), 2)) == 1


def test_a_seed_is_compared_by_cosine() -> None:
    asked = query(seed=2)
    # (1, 0.5) with (0, 2): 1 / (√1.25 · 2); with (1, −1): 0.5 / (√1.25 · √2).
    expected = [1 / (1.25**0.5 * 2), 0.5 / (1.25**0.5 * 2**0.5), 1.0, np.nan]
    assert Collaborative().score(asked, EVERYTHING) == pytest.approx(expected, nan_ok=True, rel=1e-6)
    assert Collaborative().retrieve(asked, 4).tolist() == [2, 0, 1]
    parts = Collaborative().contributions(asked, EVERYTHING)
    assert parts is not None
    assert parts == pytest.approx(np.array([[*expected[:3], 0.0]]), rel=1e-6)


def test_an_item_nobody_took_cannot_be_compared() -> None:
    lonely = bundle_of([10, 20], factors=[[1.0, 1.0], [0.0, 0.0]])
    catalogue = catalogue_of({}, {})
    assert Collaborative().score(query_of(catalogue, lonely, seed=0), np.arange(2)) == pytest.approx(
        [1.0, np.nan], nan_ok=True
    )
    parts = Collaborative().contributions(query_of(catalogue, lonely, seed=0), np.arange(2))
    assert parts == pytest.approx(np.array([[1.0, 0.0]]))
    assert Collaborative().retrieve(query_of(catalogue, lonely, seed=1), 2).tolist() == []


def test_it_needs_factors_and_an_item_that_the_model_knows() -> None:
    assert not Collaborative().enabled(query())
    assert not Collaborative().enabled(query(history=history_of([3])))
    assert not Collaborative().enabled(query(seed=3))
    assert Collaborative().enabled(query(seed=2))
    assert not Collaborative().enabled(query_of(CATALOGUE, None, history=history_of([0])))
    assert not Collaborative().enabled(query_of(CATALOGUE, bundle_of(PKS, vectors=np.eye(4)), seed=2))
