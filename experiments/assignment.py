"""The door of assignment: which variant a unit gets. Pure: no I/O, no state, no randomness.

The hash is seeded with "<experiment id>:<phase>". A change of weights makes a new phase, so that nobody keeps a variant
that the new weights would not have given him, and old and new exposures are never mixed in one analysis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.bucketing import Range, bucket_ranges, choose
from experiments.hashing import position_after, seed_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A variant as assignment needs it."""

    name: str
    configuration: Mapping[str, Any]
    """Overrides of the placement's configuration; empty for the control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningExperiment:
    """An experiment that takes units now. Make it with `prepare`, which does what needs doing once."""

    experiment_id: str
    phase: int
    placement: str
    """Name of the only placement it touches; "" for every placement."""
    arms: tuple[Arm, ...]
    ranges: tuple[Range, ...]
    """One an arm, in order."""
    seed_state: int
    """Hash of "<experiment id>:<phase>"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a unit gets. Whoever acts on it writes the exposure."""

    experiment_id: str
    phase: int
    variant: str
    configuration: Mapping[str, Any]


def prepare(
    *,
    experiment_id: str,
    phase: int,
    placement: str,
    coverage: float,
    weights: Sequence[tuple[str, float]],
    configurations: Mapping[str, Mapping[str, Any]],
) -> RunningExperiment:
    """Return the experiment ready for `assign`.

    Parameters
    ----------
    weights
        (variant, weight) of the phase, in order; relative, any positive sum.
    configurations
        Variant → what it overrides. A variant without one (deleted since the phase began) keeps its range and takes
        nobody, so that no unit moves to another arm.
    """
    total = sum(weight for _, weight in weights)
    shares = [weight / total for _, weight in weights] if total > 0 else None
    ranges = bucket_ranges(len(weights), coverage, shares)
    present = [(name, cut) for (name, _), cut in zip(weights, ranges, strict=True) if name in configurations]
    return RunningExperiment(
        experiment_id=experiment_id,
        phase=phase,
        placement=placement,
        arms=tuple(Arm(name=name, configuration=configurations[name]) for name, _ in present),
        ranges=tuple(cut for _, cut in present),
        seed_state=seed_state(f"{experiment_id}:{phase}"),
    )


def assign(unit: str, experiment: RunningExperiment, placement: str) -> Assignment | None:
    """Return the variant of `unit`, or None.

    None means: not in this experiment (no unit, another placement, outside the coverage); then nothing may be exposed.
    """
    if not unit or (experiment.placement and experiment.placement != placement):
        return None
    chosen = choose(position_after(experiment.seed_state, unit), experiment.ranges)
    if chosen < 0:
        return None
    arm = experiment.arms[chosen]
    return Assignment(
        experiment_id=experiment.experiment_id,
        phase=experiment.phase,
        variant=arm.name,
        configuration=arm.configuration,
    )


def assign_first(unit: str, experiments: Iterable[RunningExperiment], placement: str) -> Assignment | None:
    """Return the assignment of the first experiment that takes `unit` at `placement`, or None.

    At most one experiment applies to a list: two of them could override the same setting, and their effects could not
    be told apart. `experiments` come in the order of their creation (`queries.running`), so the older one wins.
    """
    for experiment in experiments:
        assignment = assign(unit, experiment, placement)
        if assignment is not None:
            return assignment
    return None
