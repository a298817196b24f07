"""One value hashed under several seeds in one go (`hashing`).

The seeds' states stand side by side in one integer, 64 bits each. A state has 32 bits and the prime 25, so one XOR, one
multiplication and one mask step all of them and none runs into its neighbour: ten take no longer than two alone.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from experiments.hashing import PRIME, encode

_LANE = 64


class ManySeeds:
    """Several seeds.

    Parameters
    ----------
    states
        Of each seed (`hashing.seed_state`).
    """

    def __init__(self, states: Sequence[int]) -> None:
        ones = sum(1 << _LANE * lane for lane in range(len(states)))
        self._start = sum(state << _LANE * lane for lane, state in enumerate(states))
        self._mask = ones * 0xFFFFFFFF
        self._bytes = [ones * byte for byte in range(256)]
        self._unpack = struct.Struct(f"<{len(states)}Q").unpack
        self._length = len(states) * _LANE // 8

    def hashes(self, value: str) -> tuple[int, ...]:
        """Return fnv(seed + value) of each seed, in order."""
        state, mask, spread = self._start, self._mask, self._bytes
        for byte in encode(value):
            state = (state ^ spread[byte]) * PRIME & mask
        return self._unpack(state.to_bytes(self._length, "little"))
