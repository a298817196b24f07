from __future__ import annotations

from recommender.pipeline import model_view
from recommender.seeds import choose_seeds
from tests.recommender.worlds import bundle_of, catalogue_of, history_of

CATALOGUE = catalogue_of(
    {"category": "crime"}, {"category": "crime"}, {"category": "comedy"}, {"category": "war"}, {"category": "war"}
)
MODEL = model_view.build(bundle_of([10, 20, 30, 40]), CATALOGUE)
"""Knows rows 0..3; row 4 is newer."""


def seeds(rows: list[int], weights: list[float], n: int) -> list[int]:
    return choose_seeds(history_of(rows, weights), CATALOGUE, MODEL, n)


def test_distinct_categories_come_first_each_by_its_newest_item() -> None:
    assert seeds([1, 0, 2], [1.0, 1.0, 1.0], 3) == [1, 2, 0]
    assert seeds([1, 0, 2], [1.0, 1.0, 1.0], 2) == [1, 2]


def test_an_item_that_was_only_looked_at_is_no_seed() -> None:
    assert seeds([1, 0, 2], [0.49, 0.5, 1.0], 3) == [0, 2]


def test_an_item_newer_than_the_model_is_no_seed() -> None:
    assert seeds([4, 3], [1.0, 1.0], 3) == [3]


def test_without_a_model_there_are_no_seeds() -> None:
    assert choose_seeds(history_of([0]), CATALOGUE, None, 3) == []


def test_a_recent_seed_loses_to_an_older_one_that_far_more_people_know() -> None:
    # 0.5^(k/8) · ln(1 + popularity): 1 · ln 2 = 0.693, 0.917 · ln 3 = 1.007, 0.841 · ln 4 = 1.166.
    known = model_view.build(bundle_of([10, 20, 30, 40], popularity=[1.0, 2.0, 3.0, 0.0]), CATALOGUE)
    assert choose_seeds(history_of([0, 1, 2, 3]), CATALOGUE, known, 3) == [2, 1, 3]
