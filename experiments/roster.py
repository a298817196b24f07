"""Running experiments, put in order so that a unit is hashed once: by placement, for all layers and phases together.

What follows from the unit alone (its part of each layer, its arm of each experiment) is kept for the last UNITS of each
placement: a page asks for each of its rows. What else a request says (country, segments) is compared each time.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from experiments.bucketing import Range
from experiments.hashing import BUCKETS, bucket_of, encode, fnv1a32
from experiments.many_seeds import ManySeeds

if TYPE_CHECKING:
    from experiments.assignment import Assignment, RunningExperiment

UNITS = 10_000
NOBODY = -1

Held = tuple[tuple[frozenset[str], frozenset[str], "Assignment"], ...]
"""(countries, segments, assignment) of the experiments that would take a unit; no countries or segments are all."""


class Roster:
    """Running experiments.

    Parameters
    ----------
    experiments
        The older one first: at most one takes a list.
    """

    def __init__(self, experiments: Collection[RunningExperiment]) -> None:
        self.experiments = experiments
        self._placements: dict[str, _Placement] = {}

    def assign(self, unit: str, placement: str, country: str, segments: Collection[str]) -> Assignment | None:
        """Return what `assignment.assign` says of the first experiment that takes the unit, None where none does."""
        if not unit:
            return None
        here = self._placements.get(placement)
        if here is None:
            here = self._placements[placement] = _Placement(
                [one for one in self.experiments if not one.placements or placement in one.placements]
            )
        for countries, wanted, assignment in here.held(unit):
            if (not countries or country in countries) and (not wanted or not wanted.isdisjoint(segments)):
                return assignment
        return None


class _Placement:
    """The experiments of one placement."""

    def __init__(self, experiments: Sequence[RunningExperiment]) -> None:
        experiments = _reached(experiments)
        layers = list(dict.fromkeys(one.layer_state for one in experiments if one.layer_state is not None))
        loose = [one for one in experiments if one.layer_state is None]
        self._seeds = ManySeeds([*layers, *(one.seed_state for one in loose)])
        self._rows = [
            (
                layers.index(one.layer_state) if one.layer_state is not None else len(layers) + loose.index(one),
                one.layer_range if one.layer_state is not None else None,
                one.seed_state,
                arms_by_bucket(one.ranges),
                one,
            )
            for one in experiments
        ]
        self.held = lru_cache(maxsize=UNITS)(self._held)

    def _held(self, unit: str) -> Held:
        places = [bucket_of(number) for number in self._seeds.hashes(unit)]
        found = []
        for seed, part, state, arms, one in self._rows:
            place = places[seed]
            if part is not None:
                if not part[0] <= place / BUCKETS < part[1]:
                    continue
                # At most one of a layer comes here: hashed for itself.
                place = bucket_of(fnv1a32(encode(unit), state))
            if arms[place] != NOBODY:
                found.append((one.countries, one.segments, one.arms[arms[place]]))
        return tuple(found)


def _reached(experiments: Sequence[RunningExperiment]) -> Sequence[RunningExperiment]:
    """Return those up to the first one that takes everybody: of the others nobody is ever in one."""
    for number, one in enumerate(experiments):
        is_for_all = one.layer_state is None and not one.countries and not one.segments
        if is_for_all and NOBODY not in arms_by_bucket(one.ranges):
            return experiments[: number + 1]
    return experiments


@lru_cache(maxsize=100)
def arms_by_bucket(ranges: tuple[Range, ...]) -> array[int]:
    """Return (10,000,) what `bucketing.choose` says of each place a unit can fall on, `NOBODY` included."""
    places = np.arange(BUCKETS) / BUCKETS
    chosen = np.full(BUCKETS, NOBODY, dtype=np.int16)
    for arm in reversed(range(len(ranges))):
        start, end = ranges[arm]
        chosen[(start <= places) & (places < end)] = arm
    return array("h", chosen.tobytes())
