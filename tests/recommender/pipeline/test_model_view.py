from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from catalog.snapshot import ItemCard
from recommender.content_space import ContentSpace
from recommender.pipeline import model_view
from tests.recommender.worlds import bundle_of, catalogue_of

CATALOGUE = catalogue_of({}, {}, {})
BUNDLE = bundle_of([30, 99, 10])


def test_items_are_matched_by_key_in_both_directions() -> None:
    view = model_view.build(BUNDLE, CATALOGUE)
    assert view.row_in_catalogue.tolist() == [2, -1, 0]
    assert view.row_in_model.tolist() == [2, -1, 0]
    assert view.deleted == 1
    model_rows, known = view.known(np.array([1, 0]))
    assert (model_rows.tolist(), known.tolist()) == ([0, 2], [False, True])


def test_scores_are_spread_over_the_catalogue() -> None:
    view = model_view.build(BUNDLE, CATALOGUE)
    scores = view.spread(np.array([0.3, 0.9, 0.1], dtype=np.float32), np.array([0, 1, 2]))
    assert scores == pytest.approx([0.1, np.nan, 0.3], nan_ok=True)


def test_an_empty_catalogue_knows_nothing() -> None:
    view = model_view.build(BUNDLE, catalogue_of())
    assert (view.row_in_catalogue.tolist(), view.row_in_model.tolist()) == ([-1, -1, -1], [])


def test_a_view_is_kept_until_either_side_is_replaced() -> None:
    view = model_view.current(BUNDLE, CATALOGUE)
    assert model_view.current(BUNDLE, CATALOGUE) is view
    smaller = catalogue_of({})
    assert model_view.current(BUNDLE, smaller).row_in_model.tolist() == [2]
    other = bundle_of([20])
    assert model_view.current(other, CATALOGUE).row_in_model.tolist() == [-1, 0, -1]


def test_items_newer_than_the_model_have_the_vectors_of_their_words() -> None:
    space = ContentSpace(columns={"tag:heist": 0}, idf=np.ones(1, np.float32), components=np.array([[1.0], [0.0]]))
    bundle = bundle_of([20], vectors=[[0.6, 0.8]])
    bundle = replace(bundle, arrays={**bundle.arrays, **space.arrays()})
    view = model_view.build(bundle, catalogue_of({"tags": ["heist"]}, {}, {"tags": ["spoof"]}))
    vectors, known = view.content_vectors(np.array([2, 1, 0]))
    # c says nothing that the model has heard of.
    assert known.tolist() == [False, True, True]
    assert vectors == pytest.approx(np.array([[0, 0], [0.6, 0.8], [1, 0]]))
    assert view.newer.tolist() == [0, 2]


def changed_view(*items: dict[str, object], built_at: int | None = 5) -> model_view.ModelView:
    """Return a view of a model of all items, which was built of the catalogue's revision `built_at`."""
    space = ContentSpace(columns={"tag:heist": 0}, idf=np.ones(1, np.float32), components=np.array([[1.0], [0.0]]))
    bundle = bundle_of([10 * number for number in range(1, len(items) + 1)], vectors=[[0.6, 0.8]] * len(items))
    meta = {**bundle.meta} if built_at is None else {**bundle.meta, "catalogue_revision": built_at}
    bundle = replace(bundle, arrays={**bundle.arrays, **space.arrays()}, meta=meta)
    return model_view.build(bundle, catalogue_of(*items))


def test_items_changed_since_the_build_have_the_vectors_of_their_words() -> None:
    view = changed_view({"revision": 5}, {"revision": 6, "tags": ["heist"]}, {"revision": 7})
    vectors, known = view.content_vectors(np.array([0, 1, 2]))
    assert vectors == pytest.approx(np.array([[0.6, 0.8], [1, 0], [0, 0]]))
    # c has lost its words: nothing is known of it any more.
    assert known.tolist() == [True, True, False]
    assert view.placed_by_words.tolist() == [1, 2]


def test_a_model_that_does_not_say_what_it_was_built_of_keeps_its_vectors() -> None:
    view = changed_view({"revision": 6, "tags": ["heist"]}, built_at=None)
    assert view.content_vectors(np.array([0]))[0] == pytest.approx(np.array([[0.6, 0.8]]))


def test_of_too_many_the_latest_are_placed_by_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_view, "MOST_PLACED", 2)
    view = changed_view({"revision": 9}, {"revision": 6}, {"revision": 7})
    assert view.placed_by_words.tolist() == [0, 2]


def test_words_are_read_once_however_often_the_catalogue_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = changed_view({"revision": 6, "tags": ["heist"]}, {})
    first.content_vectors(np.array([0]))
    read: list[str] = []
    vectors = ContentSpace.vectors

    def noted(space: ContentSpace, cards: Sequence[ItemCard]) -> NDArray[np.float32]:
        read.extend(card.item_id for card in cards)
        return vectors(space, cards)

    monkeypatch.setattr(ContentSpace, "vectors", noted)
    now = catalogue_of({"revision": 6, "tags": ["heist"]}, {"revision": 7, "tags": ["heist"]})
    second = model_view.build(first.bundle, now, earlier=first)
    assert second.content_vectors(np.array([0, 1]))[0] == pytest.approx(np.array([[1, 0], [1, 0]]))
    assert read == ["b"]


def test_without_words_in_the_model_newer_items_stay_unknown() -> None:
    view = model_view.build(bundle_of([20], vectors=[[0.6, 0.8]]), catalogue_of({"tags": ["heist"]}, {}))
    assert view.content_vectors(np.array([0, 1]))[1].tolist() == [False, True]


def test_a_changed_catalogue_does_not_read_the_words_again() -> None:
    bundle = bundle_of([20], vectors=[[0.6, 0.8]])
    space = ContentSpace(columns={"tag:heist": 0}, idf=np.ones(1, np.float32), components=np.ones((2, 1), np.float32))
    bundle = replace(bundle, arrays={**bundle.arrays, **space.arrays()})
    first = model_view.current(bundle, catalogue_of({}, {}))
    second = model_view.current(bundle, catalogue_of({}, {}, {}))
    assert (second is first, second.space is first.space) == (False, True)
