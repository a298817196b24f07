from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import chdtrc

from experiments.bucketing import bucket_ranges, choose
from experiments.hashing import OFFSET, PRIME, encode, fnv1a32, position, position_after, seed_state

UNITS = 10_000
EXPERIMENTS = 60


@pytest.mark.parametrize(
    ("seed", "value", "expected"),
    [("seed", "a", 0.0505), ("seed", "b", 0.2696), ("foo", "ab", 0.2575), ("foo", "def", 0.2019)],
)
def test_position_matches_the_published_vectors(seed: str, value: str, expected: float) -> None:
    """R1, version 2."""
    assert position(seed, value) == expected


def version_1(seed: str, value: str) -> float:
    """Return GrowthBook's hash, version 1, which hashes once only; nothing is assigned by it here."""
    return fnv1a32(encode(value + seed)) % 1_000 / 1_000


@pytest.mark.parametrize(
    ("seed", "value", "expected"), [("", "a", 0.22), ("", "b", 0.077), ("b", "a", 0.946), ("ef", "d", 0.652)]
)
def test_the_same_fnv_gives_the_vectors_of_version_1(seed: str, value: str, expected: float) -> None:
    """R1, version 1."""
    assert version_1(seed, value) == expected


@pytest.mark.parametrize(
    ("user", "namespace", "start", "end", "is_in"),
    [
        ("1", "namespace1", 0.0, 0.4, False),
        ("1", "namespace1", 0.4, 1.0, True),
        ("1", "namespace2", 0.0, 0.4, False),
        ("1", "namespace2", 0.4, 1.0, True),
        ("2", "namespace1", 0.0, 0.4, False),
        ("2", "namespace1", 0.4, 1.0, True),
        ("2", "namespace2", 0.0, 0.4, False),
        ("2", "namespace2", 0.4, 1.0, True),
        ("3", "namespace1", 0.0, 0.4, False),
        ("3", "namespace1", 0.4, 1.0, True),
        ("3", "namespace2", 0.0, 0.4, True),
        ("3", "namespace2", 0.4, 1.0, False),
        ("4", "namespace1", 0.0, 0.4, False),
        ("4", "namespace1", 0.4, 1.0, True),
        ("4", "namespace2", 0.0, 0.4, True),
        ("4", "namespace2", 0.4, 1.0, False),
    ],
)
def test_half_open_ranges_give_the_namespaces_of_version_1(
    user: str, namespace: str, start: float, end: float, is_in: bool
) -> None:
    """R1: GrowthBook's namespaces. Layers here use version 2 (`experiments.layers`)."""
    assert (choose(version_1(f"__{namespace}", user), [(start, end)]) == 0) is is_in


@pytest.mark.parametrize(
    ("count", "coverage", "weights", "expected"),
    [
        (2, 1.0, None, [1, 0, 0, 1, 1, 1, 0, 1, 0]),
        (2, 1.0, [0.1, 0.9], [1, 1, 0, 1, 1, 1, 0, 1, 1]),
        (2, 0.4, None, [-1, 0, 0, -1, 1, -1, 0, 1, -1]),
        (3, 1.0, None, [2, 0, 0, 2, 1, 2, 0, 1, 0]),
    ],
)
def test_ranges_give_the_runs_of_version_1(
    count: int, coverage: float, weights: list[float] | None, expected: list[int]
) -> None:
    """R1: the experiment "my-test", users 1 to 9; -1 is not in the experiment."""
    ranges = bucket_ranges(count, coverage, weights)
    assert [choose(version_1("my-test", str(user)), ranges) for user in range(1, 10)] == expected


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


def dependent_pairs(in_second_arm: NDArray[np.bool_]) -> int:
    """Count the neighbouring experiments that chi-squared finds dependent at p < 0.01."""
    dependent = 0
    for one, next_one in pairwise(in_second_arm):
        table = np.array([[np.sum((one == a) & (next_one == b)) for b in (False, True)] for a in (False, True)])
        expected = table.sum(1, keepdims=True) * table.sum(0) / UNITS
        dependent += int(chdtrc(1, ((table - expected) ** 2 / expected).sum()) < 0.01)
    return dependent


def test_neighbouring_experiments_are_independent(in_second_arm: NDArray[np.bool_]) -> None:
    """R1: 59 pairs at p < 0.01: 0.6 expected; more than 4 has a chance of 0.0003."""
    assert dependent_pairs(in_second_arm) <= 4


def test_version_1_would_make_them_dependent() -> None:
    """R1: 58 of 59 pairs were measured."""
    units = np.array([str(unit) for unit in range(UNITS)], dtype=bytes)
    before = _fnv_rows(units)
    rows = []
    for number in range(EXPERIMENTS):
        states = before
        for byte in f"experiment-{number}".encode():
            states = ((states ^ np.uint64(byte)) * np.uint64(PRIME)) & np.uint64(0xFFFFFFFF)
        rows.append(states % 1_000 >= 500)
    assert dependent_pairs(np.array(rows)) > 50


def test_every_experiment_is_split_evenly(in_second_arm: NDArray[np.bool_]) -> None:
    """R1: 60 splits at p < 0.01: 0.6 expected; more than 4 has a chance of 0.0003."""
    counts = in_second_arm.sum(1)
    statistic = 4 * (counts - UNITS / 2) ** 2 / UNITS
    assert np.sum(chdtrc(1, statistic) < 0.01) <= 4
