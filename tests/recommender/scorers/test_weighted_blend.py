from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.scorers.weighted_blend import WeightedBlend
from tests.recommender.worlds import bundle_of, candidates_of, catalogue_of, query_of

NAN = float("nan")
QUERY = query_of(catalogue_of())


def blend(weights: dict[str, float], **source_scores: list[float]) -> list[float]:
    """Return the log-odds of the scores: the weighted means of z."""
    n = len(next(iter(source_scores.values())))
    candidates = candidates_of(range(n), [NAN] * n, **source_scores)
    scores = WeightedBlend(weights).score(QUERY, candidates)
    assert scores.dtype == np.float32
    assert ((scores > 0) & (scores < 1)).all()
    return np.log(scores / (1 - scores.astype(np.float64))).tolist()


def approx(*expected: float) -> Any:
    return pytest.approx(list(expected), abs=1e-5)


def test_sources_are_standardised_weighted_and_added() -> None:
    # one: mean 1, deviation √(2/3); z = −√1.5, 0, √1.5. two: mean 20, deviation 10·√2; z = √2/2, −√2, √2/2.
    z_one, z_two = np.array([-(1.5**0.5), 0, 1.5**0.5]), np.array([0.5**0.5, -(2**0.5), 0.5**0.5])
    total = 1.0 * z_one + 0.5 * z_two
    assert blend({"one": 1.0, "two": 0.5}, one=[0, 1, 2], two=[30, 0, 30]) == approx(*(total / 1.5))
    assert (total / 1.5).tolist() == pytest.approx([-0.5808, -0.4714, 1.0522], abs=1e-4)


def test_a_candidate_that_a_source_does_not_know_gets_its_lowest() -> None:
    assert blend({"one": 1.0}, one=[NAN, 1, 3, 2]) == approx(-(1.5**0.5), -(1.5**0.5), 1.5**0.5, 0.0)


def test_a_candidate_newer_than_the_model_gets_the_mean() -> None:
    query = query_of(catalogue_of({}, {}, {}, {}), bundle_of([10, 20, 30]))
    candidates = candidates_of([0, 1, 2, 3], [NAN] * 4, one=[NAN, 1, 4, NAN])
    scores = WeightedBlend({"one": 1.0}).score(query, candidates)
    # z of 1 and 4: -1 and 1; the logistic function of -1 is 0.268941.
    assert scores.tolist() == approx(0.268941, 0.268941, 0.731059, 0.5)


def test_a_score_that_is_not_finite_is_not_known() -> None:
    assert blend({"one": 1.0}, one=[float("-inf"), 1, 3, float("inf")]) == approx(-1, -1, 1, -1)


def test_a_source_without_a_weight_or_with_nothing_to_say_adds_nothing() -> None:
    assert blend({"one": 1.0}, one=[0, 1, 2], other=[9, 0, 0]) == approx(-(1.5**0.5), 0, 1.5**0.5)
    assert blend({"one": 1.0, "two": 0.0}, one=[0, 1, 2], two=[9, 0, 0]) == approx(-(1.5**0.5), 0, 1.5**0.5)
    assert blend({"one": 1.0, "two": 5.0}, one=[0, 1, 2], two=[NAN, NAN, NAN]) == approx(-(1.5**0.5), 0, 1.5**0.5)


def test_a_source_that_says_the_same_of_all_changes_nothing() -> None:
    """A hundred equal float32 values have a deviation of 6e-8: dividing by it would drown every other source."""
    n = 100
    same = [float(np.log1p(np.float32(1)))] * n
    rising = [float(value) for value in range(n)]
    expected = (np.arange(n) - 49.5) / np.arange(n).std()
    assert blend({"one": 0.01, "two": 1.0}, one=rising, two=same) == approx(*expected)


def test_a_large_offset_costs_no_precision() -> None:
    scores = blend({"one": 1.0, "two": 1.0}, one=[1e6, 1e6 + 1, 1e6 + 2], two=[0.0, 0.0, 0.001])
    # z of one: −√1.5, 0, √1.5; of two: −√0.5, −√0.5, √2.
    z = np.array([-(1.5**0.5) - 0.5**0.5, -(0.5**0.5), 1.5**0.5 + 2**0.5])
    assert scores == approx(*(z / 2))


def test_equal_candidates_are_all_average() -> None:
    assert blend({"one": 1.0}, one=[2, 2]) == [0.0, 0.0]
    assert blend({"one": 1.0}, one=[NAN, NAN]) == [0.0, 0.0]


def test_no_candidates_get_no_scores() -> None:
    assert blend({"one": 1.0}, one=[]) == []


def test_it_leaves_behind_what_a_unit_of_each_source_added_and_its_mean() -> None:
    query = query_of(catalogue_of())
    WeightedBlend({"one": 0.5, "two": 1.0}).score(query, candidates_of([0, 1], [NAN, NAN], one=[1, 3], two=[NAN, NAN]))
    assert query.scratch == {"weighted_blend": {"one": (0.5, 2.0)}}


SCORE = st.one_of(st.just(NAN), st.floats(-1e6, 1e6, width=32))


@given(st.lists(st.tuples(SCORE, SCORE), min_size=1, max_size=30))
def test_scores_are_finite_and_lie_between_nought_and_one(pairs: list[tuple[float, float]]) -> None:
    one, two = (list(column) for column in zip(*pairs, strict=True))
    assert np.isfinite(blend({"one": 1.0, "two": 0.3}, one=one, two=two)).all()


@given(st.lists(st.floats(-1e3, 1e3, width=32), max_size=30), st.floats(0.1, 100), st.floats(-100, 100))
def test_a_sources_unit_does_not_matter(values: list[float], scale: float, offset: float) -> None:
    values = [0.0, 10.0, *values]
    other = [float(position % 3) for position in range(len(values))]
    as_given = blend({"one": 1.0, "two": 1.0}, one=values, two=other)
    rescaled = blend({"one": 1.0, "two": 1.0}, one=[value * scale + offset for value in values], two=other)
    assert rescaled == pytest.approx(as_given, abs=1e-3)
