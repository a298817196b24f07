"""What every source promises, whatever it computes (`pipeline.stages.Source`)."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from django.utils.module_loading import import_string

from interactions.popularity import Ranked, Trending
from interactions.preferences import Preferences
from recommender.contracts import Query
from recommender.pipeline.counterfactuals import without
from recommender.pipeline.recipes import STAGES
from recommender.pipeline.stages import Source, Without
from recommender.vector_index.base import unit_rows
from tests.recommender.worlds import bundle_of, catalogue_of, day, history_of, query_of

SOURCES = {name: made for name, path in STAGES.items() if issubclass(made := import_string(path), Source)}
"""All sources that recipes can name: a new one is tested as soon as it has a name."""

N_MODEL = 8
# Keys 20, 40, …, 160 in a shuffled order; 500 has been deleted since the build. Rows of odd keys are newer.
PKS = [100, 20, 500, 60, 160, 40, 140, 80]
CATALOGUE = catalogue_of(
    *({"published_at": day(1 + row % 9), "popularity": float(row), "category": "film"} for row in range(16))
)
NEWER = [row for row in range(16) if int(CATALOGUE.pks[row]) not in PKS]
_random = np.random.default_rng(3)
_WEIGHTS = _random.normal(size=(N_MODEL, N_MODEL)) * (1 - np.eye(N_MODEL))
BUNDLE = bundle_of(
    PKS,
    item_to_item=_WEIGHTS,
    item_to_item_balanced=_WEIGHTS / 2,
    next_items=_WEIGHTS.T,
    random_walk=np.abs(_WEIGHTS.T),
    session=np.abs(_WEIGHTS),
    factors=_random.normal(size=(N_MODEL, 3)),
    vectors=unit_rows(_random.normal(size=(N_MODEL, 4)).astype(np.float32)),
    popularity=_random.integers(0, 9, N_MODEL),
    taken=_random.integers(0, 2, (9, N_MODEL)),
    # Not every item has a vector in each space, but all have one in one.
    embeddings={
        "audio": (0.5, dict(enumerate(_random.normal(size=(6, 5)).tolist()))),
        "text": (0.3, {row: _random.normal(size=3).tolist() for row in (0, 3, 6, 7)}),
    },
)
ROWS = np.arange(16)
FROM_THE_CATALOGUE = ("popular", "new_items", "preferences", "trending", "unexplored", "category")
"""These read the catalogue or what the request says of every item, and nobody's history."""
TRENDING = Trending(
    everywhere=Ranked(
        packed_pks=CATALOGUE.pks.tobytes(), packed_scores=np.arange(16, 0, -1, dtype=np.float64).tobytes(), total=136.0
    )
)
TOLD: dict[str, Any] = {
    "explored": {},
    "trending": TRENDING,
    "preferences": Preferences(categories=("film",)),
    "category": "film",
}
HISTORY = history_of([3, 0, 9, 7], [1.0, 0.5, 1.5, 0.2])
"""Rows 0 is newer than the model."""


def queries() -> dict[str, Query]:
    """Return new queries each time: a source may keep its work in one."""
    return {
        "history": query_of(CATALOGUE, BUNDLE, history=HISTORY, **TOLD),
        "seed": query_of(CATALOGUE, BUNDLE, history=HISTORY, seed=5, **TOLD),
        "one item": query_of(CATALOGUE, BUNDLE, history=history_of([9]), **TOLD),
    }


pytestmark = [
    pytest.mark.parametrize("source", [made() for made in SOURCES.values()], ids=list(SOURCES)),
    pytest.mark.parametrize("basis", list(queries())),
]


def test_it_proposes_distinct_rows_at_most_as_many_as_asked(source: Source, basis: str) -> None:
    for n in (0, 1, 3, 16, 100):
        query = queries()[basis]
        assert source.enabled(query)
        rows = source.retrieve(query, n)
        assert rows.dtype == np.int64
        assert len(rows) <= n
        assert len(np.unique(rows)) == len(rows)
        assert set(rows.tolist()) <= set(range(16))


def test_what_it_proposes_is_in_the_order_of_its_scores(source: Source, basis: str) -> None:
    query = queries()[basis]
    scores = source.score(query, source.retrieve(query, 16))
    assert np.isfinite(scores).all()
    assert (np.diff(scores) <= 1e-6).all()


def test_it_gives_one_score_a_row_in_any_order(source: Source, basis: str) -> None:
    query = queries()[basis]
    scores = source.score(query, ROWS)
    assert (scores.dtype, scores.shape) == (np.float32, (16,))
    backwards = source.score(queries()[basis], ROWS[::-1])
    assert backwards[::-1] == pytest.approx(scores, nan_ok=True)
    assert source.score(query, ROWS[:0]).shape == (0,)


def test_items_newer_than_the_model_are_not_known_to_it(source: Source, basis: str) -> None:
    scores = source.score(queries()[basis], np.array(NEWER))
    assert np.isfinite(scores).all() if source.name in FROM_THE_CATALOGUE else np.isnan(scores).all()


def test_contributions_add_up_to_the_score(source: Source, basis: str) -> None:
    query = queries()[basis]
    parts = source.contributions(query, ROWS)
    if parts is None:
        assert source.name in FROM_THE_CATALOGUE
        return
    assert parts.shape == (len(query.basis), 16)
    assert parts.sum(axis=0) == pytest.approx(np.nan_to_num(source.score(query, ROWS)), abs=1e-5)
    assert not parts[:, NEWER].any()


def test_two_identical_requests_get_the_same(source: Source, basis: str) -> None:
    first, second = queries()[basis], queries()[basis]
    assert source.retrieve(first, 5).tolist() == source.retrieve(second, 5).tolist()
    assert source.score(first, ROWS).tobytes() == source.score(second, ROWS).tobytes()


def test_it_writes_nothing_but_its_own_scratch(source: Source, basis: str) -> None:
    query = queries()[basis]
    before = {name: array.copy() for name, array in BUNDLE.arrays.items()}
    source.retrieve(query, 5)
    source.score(query, ROWS)
    source.contributions(query, ROWS)
    assert set(query.scratch) <= {source.name}
    assert all(np.array_equal(BUNDLE.arrays[name], array) for name, array in before.items())
    assert not inspect.isabstract(type(source))


def test_asked_for_several_requests_without_an_item_it_answers_like_each_alone(source: Source, basis: str) -> None:
    query = queries()[basis]
    source.columns(query, ROWS)
    # Only a history of several can lack one of them.
    places = range(len(query.history.rows)) if basis == "history" else ()
    reduced = [Without(without(query, place), place) for place in places]
    for _ in range(2):
        for place, columns in zip(places, source.columns_without(query, ROWS, reduced), strict=True):
            expected = source.columns(without(query, place), ROWS)
            assert list(columns) == list(expected)
            for name, scores in columns.items():
                assert scores.dtype == np.float32
                # Several at once may be added up in another order than one: that depends on the processor.
                np.testing.assert_allclose(scores, expected[name], rtol=1e-5, atol=1e-6)
    assert set(query.scratch) <= {source.name}
