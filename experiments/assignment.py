"""The door of assignment: which variant a unit gets. Pure: no I/O, no state that shows, no randomness.

The hash is seeded with "<experiment id>:<phase>". A change of weights makes a new phase, so that nobody keeps a variant
that the new weights would not have given him, and old and new exposures are never mixed in one analysis. A sticky
experiment keeps the seed of its first phase: other weights then move only those whose range has moved.

Experiments of one layer take disjoint ranges of a hash of the layer's own, which all of them see alike: whoever is in
one of them is in none of the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.bucketing import Range, bucket_ranges, choose
from experiments.hashing import position_after, seed_state
from experiments.roster import Roster
from experiments.targeting import words

WHOLE: Range = (0.0, 1.0)

INTERLEAVED = "interleaved"
"""What the variant of a list is called that mixes those of an experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a unit gets. Whoever acts on it writes the exposure."""

    experiment_id: str
    phase: int
    variant: str
    configuration: Mapping[str, Any]
    """Overrides of the placement's configuration; empty for the control."""
    teams: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(variant, its configuration) of those whose lists are to be mixed into one; () where there is one variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningExperiment:
    """An experiment that takes units now. Make it with `prepare`, which does what needs doing once."""

    experiment_id: str
    phase: int
    placements: frozenset[str]
    """Names of the only placements it touches; empty for every placement."""
    countries: frozenset[str]
    segments: frozenset[str]
    """Of the only users it takes; empty for everybody."""
    layer_state: int | None
    """Hash of "layer:<name>"; None outside any layer."""
    layer_range: Range
    arms: tuple[Assignment, ...]
    """What to give to a unit of each range."""
    ranges: tuple[Range, ...]
    """One an arm, in order."""
    seed_state: int
    """Hash of "<experiment id>:<phase>"."""


def prepare(
    *,
    experiment_id: str,
    phase: int,
    placement: str,
    coverage: float,
    weights: Sequence[tuple[str, float]],
    configurations: Mapping[str, Mapping[str, Any]],
    countries: str = "",
    segments: str = "",
    layer: str = "",
    layer_range: Range = WHOLE,
    sticky: bool = False,
    interleaves: bool = False,
) -> RunningExperiment:
    """Return the experiment ready for `assign`.

    Parameters
    ----------
    weights
        (variant, weight) of the phase, in order; relative, any positive sum.
    configurations
        Variant → what it overrides. A variant without one (deleted since the phase began) keeps its range and takes
        nobody, so that no unit moves to another arm.
    placement, countries, segments
        Words between commas (`targeting`).
    interleaves
        Every unit gets a list that mixes all variants of a weight above 0.
    """
    total = sum(weight for _, weight in weights)
    shares = [weight / total for _, weight in weights] if total > 0 else None
    ranges = bucket_ranges(len(weights), coverage, shares)
    teams: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    if interleaves:
        # Whoever is covered is in all of them; a variant that is gone, or paused, drafts for nobody.
        playing = tuple(
            (name, configurations[name]) for name, weight in weights if weight > 0 and name in configurations
        )
        weights, ranges = [(INTERLEAVED, 1.0)], bucket_ranges(1, coverage)
        configurations, teams = ({INTERLEAVED: {}} if len(playing) > 1 else {}), playing
    else:
        teams = ()
    present = [(name, cut) for (name, _), cut in zip(weights, ranges, strict=True) if name in configurations]
    return RunningExperiment(
        experiment_id=experiment_id,
        phase=phase,
        placements=words(placement),
        countries=words(countries),
        segments=words(segments),
        layer_state=seed_state(f"layer:{layer}:") if layer else None,
        layer_range=layer_range,
        arms=tuple(
            Assignment(
                experiment_id=experiment_id,
                phase=phase,
                variant=name,
                configuration=configurations[name],
                teams=teams,
            )
            for name, _ in present
        ),
        ranges=tuple(cut for _, cut in present),
        seed_state=seed_state(f"{experiment_id}:{1 if sticky else phase}"),
    )


def assign(
    unit: str, experiment: RunningExperiment, placement: str, country: str = "", segments: Collection[str] = ()
) -> Assignment | None:
    """Return the variant of `unit`, or None.

    None means: not in this experiment (no unit, another placement, country or segment, another part of the layer,
    outside the coverage); then nothing may be exposed.
    """
    if not unit or (experiment.placements and placement not in experiment.placements):
        return None
    if experiment.countries and country not in experiment.countries:
        return None
    if experiment.segments and experiment.segments.isdisjoint(segments):
        return None
    if experiment.layer_state is not None:
        start, end = experiment.layer_range
        if not start <= position_after(experiment.layer_state, unit) < end:
            return None
    chosen = choose(position_after(experiment.seed_state, unit), experiment.ranges)
    return None if chosen < 0 else experiment.arms[chosen]


def assign_first(
    unit: str,
    experiments: Collection[RunningExperiment],
    placement: str,
    country: str = "",
    segments: Collection[str] = (),
) -> Assignment | None:
    """Return the assignment of the first experiment that takes `unit` at `placement`, or None.

    At most one experiment applies to a list: two of them could override the same setting, and their effects could not
    be told apart. `experiments` come in the order of their creation (`queries.running`), so the older one wins. The
    same tuple is put in order once (`roster`).
    """
    global _roster
    roster = _roster
    if roster.experiments is not experiments or type(experiments) is not tuple:
        roster = _roster = Roster(experiments)
    return roster.assign(unit, placement, country, segments)


_roster = Roster(())


def forced(experiments: Iterable[RunningExperiment], experiment_id: str, variant: str) -> Assignment | None:
    """Return the variant of that name whoever asks, None when no such one is running. Never to be exposed."""
    arms = (arm for experiment in experiments if experiment.experiment_id == experiment_id for arm in experiment.arms)
    return next((arm for arm in arms if arm.variant == variant), None)
