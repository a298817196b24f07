"""What is held out to measure a model: three ways, each a mask over the pairs of `Interactions`."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from recommender.arrays import BoolArray, RowArray
from recommender.training.dataset import Interactions

Way = Literal["time", "random", "leave-one-out"]
WAYS: tuple[Way, ...] = get_args(Way)
SHARE = 0.2


def held_out(data: Interactions, way: Way, *, share: float = SHARE, seed: int = 0) -> BoolArray:
    """Return (pairs,) bool, True for what `way` holds out; `share` (0..1) does not matter to "leave-one-out"."""
    if way == "time":
        return last_share_by_user(data, share)
    if way == "random":
        return random_share_by_user(data, share, seed)
    return leave_one_out(data)


def last_share_by_user(data: Interactions, share: float = SHARE) -> BoolArray:
    """Return (pairs,) bool, True for each user's newest ⌊share · n⌋ pairs: the held-out ones."""
    place, counts = _places(data)
    return np.asarray(place >= counts - np.floor(share * counts).astype(np.int64))


def random_share_by_user(data: Interactions, share: float = SHARE, seed: int = 0) -> BoolArray:
    """Return (pairs,) bool, True for ⌊share · n⌋ of each user's pairs, drawn at random.

    For data whose times mean nothing; where they do, it lets a model see what comes after what it must foretell.
    """
    shuffled = np.lexsort((np.random.default_rng(seed).random(len(data)), data.users))
    drawn = np.empty(len(data), dtype=np.bool_)
    # Only each user's own pairs change places, so the last of them are any of them.
    drawn[shuffled] = last_share_by_user(data, share)
    return drawn


def leave_one_out(data: Interactions) -> BoolArray:
    """Return (pairs,) bool, True for the newest pair of each user who has two or more."""
    place, counts = _places(data)
    return np.asarray((place == counts - 1) & (counts > 1))


def _places(data: Interactions) -> tuple[RowArray, RowArray]:
    """Return (pairs,) int64 twice: each pair's place in its user's history from 0, and how long that is."""
    starts = data.user_starts()
    counts = np.diff(starts)
    return np.arange(len(data)) - np.repeat(starts[:-1], counts), np.repeat(counts, counts)
