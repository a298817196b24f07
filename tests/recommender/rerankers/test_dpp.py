from __future__ import annotations

import numpy as np
import pytest

from recommender.rerankers.dpp import OWN, Dpp
from recommender.rerankers.mmr import Mmr
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, query_of

CATALOGUE = catalogue_of({}, {}, {}, {})
# a along x, b along y, c between them (cosine √½ with each), d along z.
FACTORS = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]
QUERY = query_of(CATALOGUE, bundle_of([10, 20, 30, 40], factors=FACTORS))


def test_what_several_items_cover_together_counts() -> None:
    candidates = candidates_of([0, 1, 2, 3], [1.0, 0.9, 0.8, 0.5], one=[4, 3, 2, 1])
    # To a and to b alone c is no closer than √½: MMR takes it before d, 0.6 · 0.6 − 0.4 · 0.707 = 0.077 against 0.
    # Beyond a and b together nearly nothing is left of it.
    assert Mmr(strength=0.4).rerank(QUERY, candidates).rows.tolist() == [0, 1, 2, 3]
    reranked = Dpp(strength=0.4).rerank(QUERY, candidates)
    assert reranked.rows.tolist() == [0, 1, 3, 2]
    assert reranked.score == pytest.approx([1.0, 0.9, 0.8, 0.5])
    assert reranked.source_scores["one"].tolist() == [4, 3, 1, 2]


def test_it_is_the_greedy_choice_of_the_kernel_s_determinant() -> None:
    """The incremental factorisation against determinants computed anew at each step."""
    generator = np.random.default_rng(5)
    factors = generator.normal(size=(12, 4)).astype(np.float32)
    scores = np.sort(generator.random(12))[::-1].tolist()
    catalogue = catalogue_of(*[{} for _ in range(12)])
    query = query_of(catalogue, bundle_of([10 * row for row in range(1, 13)], factors=factors), limit=8)
    reranked = Dpp(strength=0.3).rerank(query, candidates_of(range(12), scores))

    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    kernel = (1 - OWN) * unit @ unit.T + OWN * np.eye(12)
    worth = (np.array(scores) - min(scores)) / (max(scores) - min(scores))
    chosen: list[int] = []
    for _ in range(8):
        rest = [row for row in range(12) if row not in chosen]
        values = [
            0.7 * worth[[*chosen, row]].sum()
            + 0.3 * np.linalg.slogdet(kernel[np.ix_([*chosen, row], [*chosen, row])])[1]
            for row in rest
        ]
        chosen.append(rest[int(np.argmax(values))])
    assert reranked.rows[:8].tolist() == chosen


def test_items_that_are_all_alike_keep_their_order() -> None:
    query = query_of(CATALOGUE, bundle_of([10, 20, 30], factors=[[1, 0], [2, 0], [3, 0]]))
    assert Dpp(strength=0.5).rerank(query, candidates_of([2, 0, 1], [1.0, 0.5, 0.0])).rows.tolist() == [2, 0, 1]


def test_no_strength_changes_nothing() -> None:
    candidates = candidates_of([0, 1, 2], [1.0, 0.9, 0.5])
    assert Dpp(strength=0).rerank(QUERY, candidates) is candidates


def test_what_items_are_compared_by_must_exist() -> None:
    with pytest.raises(ValueError, match="by must be one of collaborative, content, category, not 'colour'"):
        Dpp(by="colour")  # type: ignore[arg-type]
