from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import chdtrc

from experiments.hashing import OFFSET, PRIME, fnv1a32, position, position_after, seed_state

UNITS = 10_000
EXPERIMENTS = 60


@pytest.mark.parametrize(
    ("seed", "value", "expected"),
    [("seed", "a", 0.0505), ("seed", "b", 0.2696), ("foo", "ab", 0.2575), ("foo", "def", 0.2019)],
)
def test_position_matches_the_published_vectors(seed: str, value: str, expected: float) -> None:
    assert position(seed, value) == expected


@pytest.mark.parametrize(
    ("data", "expected"), [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)]
)  # from the authors' own test suite of FNV
def test_fnv1a32_matches_the_published_vectors(data: bytes, expected: int) -> None:
    assert fnv1a32(data) == expected


@given(seed=st.text(), value=st.text(alphabet=st.characters(exclude_categories=())))
def test_position_is_a_multiple_of_a_ten_thousandth_below_one(seed: str, value: str) -> None:
    n = position(seed, value)
    assert 0 <= n < 1
    assert n == round(n * 10_000) / 10_000
    assert n == position_after(seed_state(seed), value)


@given(first=st.binary(), second=st.binary())
def test_a_hash_can_be_continued(first: bytes, second: bytes) -> None:
    assert fnv1a32(second, fnv1a32(first)) == fnv1a32(first + second)


def _fnv_rows(text: NDArray[np.bytes_], state: int = OFFSET) -> NDArray[np.uint64]:
    """Hash every entry of a fixed-width byte array; padding zeros are skipped."""
    columns = text.view(np.uint8).reshape(len(text), -1)
    states = np.full(len(text), state, dtype=np.uint64)
    for column in columns.T:
        states = np.where(column > 0, ((states ^ column) * np.uint64(PRIME)) & np.uint64(0xFFFFFFFF), states)
    return states


@pytest.fixture(scope="module")
def in_second_arm() -> NDArray[np.bool_]:
    """(experiments, units) bool: assigned to the second of two equal arms."""
    units = np.array([str(unit) for unit in range(UNITS)], dtype=bytes)
    rows = []
    for number in range(EXPERIMENTS):
        first = _fnv_rows(units, seed_state(f"experiment-{number}:1"))
        rows.append(_fnv_rows(first.astype("S10")) % 10_000 >= 5_000)
    return np.array(rows)


def test_the_vectorised_hash_of_this_test_is_the_real_one(in_second_arm: NDArray[np.bool_]) -> None:
    expected = [position("experiment-7:1", str(unit)) >= 0.5 for unit in range(200)]
    assert in_second_arm[7, :200].tolist() == expected


def test_neighbouring_experiments_are_independent(in_second_arm: NDArray[np.bool_]) -> None:
    """59 pairs at p < 0.01: 0.6 expected; more than 4 has a chance of 0.0003."""
    dependent = 0
    for one, next_one in pairwise(in_second_arm):
        table = np.array([[np.sum((one == a) & (next_one == b)) for b in (False, True)] for a in (False, True)])
        expected = table.sum(1, keepdims=True) * table.sum(0) / UNITS
        dependent += chdtrc(1, ((table - expected) ** 2 / expected).sum()) < 0.01
    assert dependent <= 4


def test_every_experiment_is_split_evenly(in_second_arm: NDArray[np.bool_]) -> None:
    """60 splits at p < 0.01: 0.6 expected; more than 4 has a chance of 0.0003."""
    counts = in_second_arm.sum(1)
    statistic = 4 * (counts - UNITS / 2) ** 2 / UNITS
    assert np.sum(chdtrc(1, statistic) < 0.01) <= 4
