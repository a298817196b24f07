from __future__ import annotations

import numpy as np
import pytest

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
