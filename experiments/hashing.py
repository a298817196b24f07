"""Where a unit falls in [0, 1): GrowthBook's hash, version 2.

Specification: FNV-1a, 32 bits (offset 0x811c9dc5, prime 0x01000193, UTF-8 bytes);
n = (fnv(str(fnv(seed + value))) mod 10,000) / 10,000. Version 1 hashes once only: over sequential ids the assignments
of neighbouring experiments then depend on each other (58 of 59 pairs at p < 0.01, against 1 of 59 for version 2).
"""

from __future__ import annotations

from array import array
from functools import lru_cache

import numpy as np

OFFSET = 0x811C9DC5
PRIME = 0x01000193
BUCKETS = 10_000


def fnv1a32(data: bytes, state: int = OFFSET) -> int:
    """Return the FNV-1a hash of `data`, 0..2**32-1.

    `state` continues an earlier hash: fnv1a32(b, fnv1a32(a)) == fnv1a32(a + b).
    """
    for byte in data:
        state = ((state ^ byte) * PRIME) & 0xFFFFFFFF
    return state


def seed_state(seed: str) -> int:
    """Return the hash of the seed alone, to be continued by `position_after`."""
    return fnv1a32(encode(seed))


@lru_cache(maxsize=20_000)
def position_after(state: int, value: str) -> float:
    """Return where `value` falls, 0 ≤ n < 1 in steps of 0.0001, for the seed whose hash is `state`.

    Kept for the last 20,000 pairs: a page asks for each of its rows.
    """
    return bucket_of(fnv1a32(encode(value), state)) / BUCKETS


def position(seed: str, value: str) -> float:
    """Return where `value` falls under `seed`, 0 ≤ n < 1 in steps of 0.0001."""
    return position_after(seed_state(seed), value)


def encode(text: str) -> bytes:
    """Return UTF-8 bytes; a lone surrogate (broken input, kept as it came) still hashes."""
    return text.encode("utf-8", "surrogatepass")


def bucket_of(number: int) -> int:
    """Return fnv(str(number)) mod 10,000, the second of the two hashes, of a number of 0..2**32-1.

    FNV-1a's XOR touches the lowest byte only, so k more bytes turn a state s into s · PRIME^k + Δ (mod 2**32), where Δ
    follows from s mod 256 and the bytes. All but the last five digits are looked up as a state, those as 3 + 2 Δs.
    """
    first, last = divmod(number, 100_000)
    if not first:
        return fnv1a32(b"%d" % number) % BUCKETS
    state = _STATES[first]
    three, two = divmod(last, 100)
    state = (state * _PRIME_3 + _DELTAS_3[(state & 255) * 1_000 + three]) & 0xFFFFFFFF
    return ((state * _PRIME_2 + _DELTAS_2[(state & 255) * 100 + two]) & 0xFFFFFFFF) % BUCKETS


def _states(count: int) -> array[int]:
    """Return fnv(str(n)) of the numbers below `count`, each by one more digit of a shorter one."""
    found = array("I", (fnv1a32(b"%d" % digit) for digit in range(10)))
    for number in range(10, count):
        found.append((found[number // 10] ^ ord("0") + number % 10) * PRIME & 0xFFFFFFFF)
    return found


def _deltas(digits: int) -> array[int]:
    """Return Δ of each lowest byte and each text of so many digits, 00… first: (256 · 10^digits,)."""
    lowest = np.arange(256, dtype=np.uint32)
    reached = lowest[:, None]
    for place in range(digits):
        figure = np.tile(np.repeat(np.arange(10, dtype=np.uint32), 10 ** (digits - 1 - place)), 10**place)
        reached = (reached ^ (ord("0") + figure)) * np.uint32(PRIME)
    unchanged = lowest * np.uint32(pow(PRIME, digits, 2**32))
    return array("I", (reached - unchanged[:, None]).astype(np.uint32).tobytes())


_STATES = _states(2**32 // 100_000 + 1)
_DELTAS_2, _DELTAS_3 = _deltas(2), _deltas(3)
_PRIME_2, _PRIME_3 = PRIME**2 % 2**32, PRIME**3 % 2**32
