from __future__ import annotations

import pytest

from recommender.shadowing.likeness import overlap, rank_biased_overlap


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("abc", "abc", 1.0),
        ("abc", "cab", 1.0),
        ("abcd", "abxy", 0.5),
        ("ab", "abcd", 0.5),
        ("ab", "xy", 0.0),
        ("", "", 1.0),
        ("a", "", 0.0),
        # The eleventh place does not count.
        ("abcdefghijk", "abcdefghijx", 1.0),
    ],
)
def test_overlap_is_the_share_of_the_first_ten_that_both_have(one: str, other: str, alike: float) -> None:
    assert overlap(one, other) == alike
    assert overlap(other, one) == alike


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("abc", "abc", 1.0),
        ("abc", "xyz", 0.0),
        # Nothing in common at depth 1, all at 2: (0.1 / 0.9) · (2/2 · 0.81) + 2/2 · 0.81.
        ("ab", "ba", 0.9),
        # All at 1, half at 2: (0.1 / 0.9) · (1 · 0.9 + 1/2 · 0.81) + 1/2 · 0.81.
        ("ab", "ax", 0.55),
        # A beginning of the other agrees as far as it goes.
        ("a", "ab", 1.0),
        # Depth 2 of the longer one has in it what the short one has at 1:
        # (0.1 / 0.9) · (0 + (1 + 0) / 2 · 0.81) + ((1 - 0) / 2 + 0 / 1) · 0.81.
        ("b", "ab", 0.45),
        ("", "", 1.0),
        ("", "a", 0.0),
    ],
)
def test_rank_biased_overlap_counts_the_first_places_most(one: str, other: str, alike: float) -> None:
    assert rank_biased_overlap(one, other, p=0.9) == pytest.approx(alike)
    assert rank_biased_overlap(other, one, p=0.9) == pytest.approx(alike)
