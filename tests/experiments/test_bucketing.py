from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.bucketing import bucket_ranges, choose


@pytest.mark.parametrize(
    ("count", "coverage", "weights", "expected"),
    [
        (2, 1, None, [(0, 0.5), (0.5, 1)]),
        (2, 0.5, None, [(0, 0.25), (0.5, 0.75)]),
        (2, 0, None, [(0, 0), (0.5, 0.5)]),
        (3, 0.2, [0.2, 0.3, 0.5], [(0, 0.04), (0.2, 0.26), (0.5, 0.6)]),
        (2, -0.2, None, [(0, 0), (0.5, 0.5)]),
        (2, 1.5, None, [(0, 0.5), (0.5, 1)]),
        (2, 1, [0.4, 0.1], [(0, 0.5), (0.5, 1)]),
        (2, 1, [0.7, 0.6], [(0, 0.5), (0.5, 1)]),
        (4, 1, [0.4, 0.4, 0.2], [(0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)]),
        (2, 1, [0.4, 0.5999], [(0, 0.4), (0.4, 0.9999)]),
        (2, 1, [math.nan, 1.0], [(0, 0.5), (0.5, 1)]),
        (2, 1, [-1.0, 2.0], [(0, 0.5), (0.5, 1)]),
        (0, 1, None, []),
    ],
)
def test_bucket_ranges(
    count: int, coverage: float, weights: list[float] | None, expected: list[tuple[float, float]]
) -> None:
    """R1."""
    ranges = bucket_ranges(count, coverage, weights)
    assert len(ranges) == len(expected)
    for found, wanted in zip(ranges, expected, strict=True):
        assert found == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "ranges", "expected"),
    [
        (0.2, [(0, 0.5), (0.5, 1)], 0),
        (0.6, [(0, 0.5), (0.5, 1)], 1),
        (0.4, [(0, 0.25), (0.5, 0.75)], -1),
        (0.8, [(0, 0.25), (0.5, 0.75)], -1),
        (0, [(0, 0.5), (0.5, 1)], 0),
        (0.5, [(0, 0.5), (0.5, 1)], 1),
        (0.25, [(0, 0.25), (0.5, 0.75)], -1),
        (0.5, [(0, 0.5), (0.5, 0.5), (0.5, 1)], 2),
        (0.5, [(0.5, 0.5)], -1),
        (0.1, [], -1),
    ],
)
def test_choose_is_half_open(n: float, ranges: list[tuple[float, float]], expected: int) -> None:
    """R1."""
    assert choose(n, ranges) == expected


weights_lists = st.lists(st.integers(0, 100), min_size=1, max_size=8).filter(any)


@given(weights=weights_lists, low=st.floats(0, 1), high=st.floats(0, 1), n=st.integers(0, 9_999))
def test_more_coverage_moves_nobody_between_variants(weights: list[int], low: float, high: float, n: int) -> None:
    low, high = sorted((low, high))
    shares = [weight / sum(weights) for weight in weights]
    before = choose(n / 10_000, bucket_ranges(len(shares), low, shares))
    after = choose(n / 10_000, bucket_ranges(len(shares), high, shares))
    assert before in (-1, after)


@given(weights=weights_lists, n=st.integers(0, 9_999))
def test_at_full_coverage_everybody_gets_a_variant_of_positive_weight(weights: list[int], n: int) -> None:
    shares = [weight / sum(weights) for weight in weights]
    chosen = choose(n / 10_000, bucket_ranges(len(shares), 1.0, shares))
    assert chosen >= 0
    assert weights[chosen] > 0
