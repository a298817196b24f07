from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.hashing import BUCKETS, bucket_of, encode, fnv1a32, seed_state
from experiments.many_seeds import ManySeeds


@given(st.lists(st.text(max_size=20), max_size=12), st.text(max_size=30))
def test_each_seed_hashes_as_it_does_alone(seeds: list[str], value: str) -> None:
    expected = tuple(fnv1a32(encode(seed) + encode(value)) for seed in seeds)
    assert ManySeeds([seed_state(seed) for seed in seeds]).hashes(value) == expected


@pytest.mark.parametrize("number", [0, 7, 99_999, 100_000, 100_099, 999_999, 4_294_900_000, 2**32 - 1])
def test_the_second_hash_by_table_at_its_edges(number: int) -> None:
    assert bucket_of(number) == fnv1a32(str(number).encode()) % BUCKETS


@given(st.integers(0, 2**32 - 1))
def test_the_second_hash_by_table(number: int) -> None:
    assert bucket_of(number) == fnv1a32(str(number).encode()) % BUCKETS
