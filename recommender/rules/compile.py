"""Editors' rules turned into masks, multipliers and placements over the rows of one catalogue snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import msgspec
import numpy as np

from catalog.process_copy import ProcessCopy
from catalog.snapshot import Catalogue
from recommender.arrays import BoolArray, FloatArray, RowArray, contains
from recommender.rules import matching, versions
from recommender.rules.fatigue import SECONDS_A_DAY, Fatigue
from recommender.rules.placing import Cap, Pin
from recommender.rules.viewer import Viewer, is_for, is_held_out
from recommender.rules.vocabulary import Action, RuleSpec

LEAST, MOST = 0.01, 100.0
"""What all boosts and buries of an item together may multiply its score by."""
_SCALES = (Action.BOOST, Action.BURY)
HOUR_SECONDS = 3600
KEPT = 200
"""Combinations of rules that are kept compiled; audiences and holdouts make many."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """One promotion."""

    rule: int
    slots: int
    share: float
    rows: RowArray
    """Hand-picked in order, or all that it means."""
    in_order: bool
    """Whether the order of `rows` is the editor's."""

    def places(self, limit: int) -> int:
        """Return how many places of a list it takes."""
        return min(self.slots or round(self.share * limit), limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRules:
    """What the rules that are in effect for somebody mean."""

    hidden: BoolArray | None = None
    """(items,) True: never shown; None when no rule hides."""
    kept_out: BoolArray | None = None
    """(items,) True: not shown for its score; None when no rule says so."""
    multiplier: FloatArray | None = None
    """(items,) product of all boosts and buries; None when there are none."""
    pins: tuple[Pin, ...] = ()
    soft_pins: tuple[Pin, ...] = ()
    promotions: tuple[Promoted, ...] = ()
    """These three by priority, the most important first."""
    caps: tuple[Cap, ...] = ()
    like_seed: tuple[tuple[Callable[[int], Iterable[int]], bool], ...] = ()
    """(values of a row, whether one of the seed's is wanted or none)."""
    organic_share: float = 0.0
    fatigue: tuple[Fatigue, ...] = ()
    """What is counted of each visitor (`Visit.personal_rules`)."""
    tired: RowArray | None = None
    """Ascending, what this visitor is tired of: only a pin shows it. None: nothing."""

    def admits(self, rows: RowArray) -> BoolArray:
        """Return (len(rows),) which of them may stand in a list for their score."""
        admitted = np.ones(len(rows), dtype=bool)
        for shut_out in (self.hidden, self.kept_out):
            if shut_out is not None:
                admitted &= ~shut_out[rows]
        return admitted if self.tired is None else admitted & ~contains(self.tired, rows)


@dataclass
class Rulebook:
    """All rules of one revision. Those in effect for somebody are compiled together on first use."""

    revision: int
    specs: Sequence[RuleSpec]
    catalogue: Catalogue
    _held: _Held = field(default_factory=lambda: _Held(since=np.inf, until=-np.inf, specs=[]))

    @cached_property
    def asks_for_segments(self) -> bool:
        """Whether a rule is for some segments only."""
        return any(spec.audience.segments for spec in self.specs)

    @cached_property
    def asks_for_showings(self) -> bool:
        """Whether a rule counts what somebody was shown."""
        return any(spec.action == Action.FATIGUE for spec in self.specs)

    def for_viewer(self, viewer: Viewer, now: float) -> CompiledRules:
        """Return the rules that are in effect for the viewer at POSIX time `now`: the same object while they are."""
        held = self._held
        if not held.since <= now < held.until:
            held = self._held = self._held_at(now)
        anybody = msgspec.structs.replace(viewer, user_id="")
        theirs = held.of_audience.get(anybody)
        if theirs is None:
            theirs = [spec for spec in held.specs if is_for(spec, anybody)]
            _keep(held.of_audience, anybody, theirs)
        active = [spec for spec in theirs if not is_held_out(spec, viewer.user_id)]
        ids = tuple(spec.pk for spec in active)
        compiled = held.compiled.get(ids)
        if compiled is None:
            compiled = compile_rules(active, self.catalogue, now)
            _keep(held.compiled, ids, compiled)
        return compiled

    def _held_at(self, now: float) -> _Held:
        until = min((spec.schedule.changes_after(now) for spec in self.specs), default=np.inf)
        ages = any(clause.field == "age_days" for spec in self.specs for clause in spec.where)
        until = min(until, (now // HOUR_SECONDS + 1) * HOUR_SECONDS) if ages else until
        held = _Held(since=now, until=until, specs=[spec for spec in self.specs if spec.schedule.contains(now)])
        if not ages:
            held.compiled.update(self._held.compiled)
        return held


@dataclass(slots=True, kw_only=True)
class _Held:
    """What a rulebook knows of a time in which no schedule opens or closes."""

    since: float
    until: float
    specs: list[RuleSpec]
    """In schedule."""
    of_audience: dict[Viewer, list[RuleSpec]] = field(default_factory=dict)
    compiled: dict[tuple[int, ...], CompiledRules] = field(default_factory=dict)
    """By the keys of the rules."""


def _keep(held: dict[K, V], key: K, value: V) -> None:
    if len(held) >= KEPT:
        held.clear()
    held[key] = value


def compile_rules(specs: Sequence[RuleSpec], catalogue: Catalogue, now: float = 0.0) -> CompiledRules:
    """Compile `specs` in their order of precedence: higher priority first, then the older rule.

    Hides and exclusions add up, inclusions too (what one of them includes is in), and what somebody is tired of; boosts
    and buries multiply, caps hold all together, and of several organic shares the largest counts. How pins, soft pins
    and promotions share the places is in `placing`.
    """
    ordered = sorted(specs, key=lambda spec: (-spec.priority, spec.pk))
    of = {action: [spec for spec in ordered if spec.action == action] for action in Action}
    excluded = _together(of[Action.EXCLUDE], catalogue, now)
    included = _together(of[Action.INCLUDE_ONLY], catalogue, now)
    if included is not None:
        excluded = ~included if excluded is None else excluded | ~included
    return CompiledRules(
        hidden=_together(of[Action.HIDE], catalogue, now),
        kept_out=excluded,
        multiplier=_multiplier([spec for spec in ordered if spec.action in _SCALES], catalogue, now),
        pins=_pins(of[Action.PIN], catalogue, now),
        soft_pins=_pins(of[Action.SOFT_PIN], catalogue, now),
        promotions=tuple(
            Promoted(
                rule=spec.pk,
                slots=spec.slots,
                share=spec.share,
                rows=matching.rows_of(spec, catalogue, now),
                in_order=bool(spec.items),
            )
            for spec in of[Action.PROMOTE]
        ),
        caps=tuple(
            Cap(at_most=spec.at_most, window=spec.window, values=matching.values_of(catalogue, spec.attribute))
            for spec in of[Action.CAP]
        ),
        like_seed=tuple(
            (matching.values_of(catalogue, spec.attribute), spec.action == Action.SAME_AS_SEED)
            for spec in ordered
            if spec.action in (Action.SAME_AS_SEED, Action.DIFFERENT_FROM_SEED)
        ),
        organic_share=max((spec.share for spec in of[Action.ORGANIC_SHARE]), default=0.0),
        fatigue=tuple(
            Fatigue(
                rule=spec.pk,
                times=spec.at_most,
                seconds=spec.window * SECONDS_A_DAY,
                rows=np.sort(matching.rows_of(spec, catalogue, now)) if spec.items or spec.where else None,
            )
            for spec in of[Action.FATIGUE]
        ),
    )


def _together(specs: Sequence[RuleSpec], catalogue: Catalogue, now: float) -> BoolArray | None:
    """Return (items,) what any of the rules means; None without rules."""
    if not specs:
        return None
    mask = np.zeros(len(catalogue), dtype=bool)
    for spec in specs:
        mask[matching.rows_of(spec, catalogue, now)] = True
    return mask


def _multiplier(specs: Sequence[RuleSpec], catalogue: Catalogue, now: float) -> FloatArray | None:
    if not specs:
        return None
    multiplier = np.ones(len(catalogue), dtype=np.float32)
    for spec in specs:
        multiplier[matching.rows_of(spec, catalogue, now)] *= np.float32(spec.multiplier)
    return np.clip(multiplier, LEAST, MOST)


def _pins(specs: Sequence[RuleSpec], catalogue: Catalogue, now: float) -> tuple[Pin, ...]:
    found = ((spec, matching.rows_of(spec, catalogue, now)) for spec in specs if spec.position > 0)
    return tuple(Pin(spec.position - 1, int(rows[0]), spec.pk) for spec, rows in found if len(rows))


_copy = ProcessCopy[list[RuleSpec]](lambda revision, earlier: versions.published())
_current: Rulebook | None = None


def current(revision: int, catalogue: Catalogue) -> Rulebook:
    """Return this process's rulebook, read anew when the rules have changed, compiled anew when the catalogue has."""
    global _current
    held = _current
    if held is not None and held.revision == revision and held.catalogue is catalogue:
        return held
    # No lock: two threads here make two rulebooks and the later one is held. Neither has compiled anything yet.
    book = _current = Rulebook(revision, _copy.at(revision), catalogue)
    return book
