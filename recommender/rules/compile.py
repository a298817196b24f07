"""Editors' rules turned into a mask, multipliers and pins over the rows of one catalogue snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.process_copy import ProcessCopy
from catalog.snapshot import Catalogue
from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.models import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """One active rule as data, independent of the database."""

    pk: int
    action: str
    """"pin", "boost", "bury" or "hide"."""
    placement: str = ""
    """"" for all placements."""
    item_pk: int | None = None
    category: str = ""
    tag: str = ""
    position: int = 0
    """Pins: 1 is first; 0 (none was given) pins nothing."""
    multiplier: float = 1.0
    priority: int = 0
    active_from: float = -np.inf
    active_until: float = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRules:
    """What the rules of one placement mean at one moment."""

    hidden: BoolArray | None = None
    """(items,) True: never shown; None when no rule hides."""
    multiplier: FloatArray | None = None
    """(items,) product of all boosts and buries; None when there are none."""
    pins: tuple[tuple[int, int], ...] = ()
    """(position from 0, row), ascending by position, at most one a position and one a row."""


@dataclass(slots=True)
class Rulebook:
    """All rules of one revision, compiled per placement on first use and again when a schedule opens or closes."""

    revision: int
    specs: Sequence[RuleSpec]
    catalogue: Catalogue
    _compiled: dict[str, tuple[tuple[int, ...], CompiledRules]] = field(default_factory=dict)

    def for_placement(self, placement: str, now: float) -> CompiledRules:
        """Return the rules that apply to `placement` at POSIX time `now`."""
        active = [
            spec
            for spec in self.specs
            if spec.placement in ("", placement) and spec.active_from <= now < spec.active_until
        ]
        ids = tuple(spec.pk for spec in active)
        held = self._compiled.get(placement)
        if held is None or held[0] != ids:
            held = (ids, compile_rules(active, self.catalogue))
            self._compiled[placement] = held
        return held[1]


def compile_rules(specs: Sequence[RuleSpec], catalogue: Catalogue) -> CompiledRules:
    """Compile `specs` in their order of precedence: higher priority first, then the older rule.

    Two pins on one position, or two pins of one item: the first in that order stands. Boosts and buries multiply.
    """
    hidden: BoolArray | None = None
    multiplier: FloatArray | None = None
    pins: dict[int, int] = {}
    for spec in sorted(specs, key=lambda spec: (-spec.priority, spec.pk)):
        rows = matching_rows(spec, catalogue)
        if spec.action == Rule.Action.HIDE:
            hidden = np.zeros(len(catalogue), dtype=bool) if hidden is None else hidden
            hidden[rows] = True
        elif spec.action in (Rule.Action.BOOST, Rule.Action.BURY):
            multiplier = np.ones(len(catalogue), dtype=np.float32) if multiplier is None else multiplier
            multiplier[rows] *= np.float32(spec.multiplier)
        elif len(rows) and spec.position > 0 and spec.position - 1 not in pins and int(rows[0]) not in pins.values():
            pins[spec.position - 1] = int(rows[0])
    return CompiledRules(hidden=hidden, multiplier=multiplier, pins=tuple(sorted(pins.items())))


def matching_rows(spec: RuleSpec, catalogue: Catalogue) -> RowArray:
    """Return the rows that meet all of the rule's conditions (item, category, tag), ascending."""
    mask: NDArray[np.bool_] = np.ones(len(catalogue), dtype=bool)
    if spec.item_pk is not None:
        mask &= catalogue.pks == spec.item_pk
    if spec.category:
        wanted = spec.category.casefold()
        codes = [code for code, name in enumerate(catalogue.categories) if name.casefold() == wanted]
        mask &= np.isin(catalogue.category_codes, codes)
    if spec.tag:
        tagged = np.zeros(len(catalogue), dtype=bool)
        tagged[catalogue.rows_with_tag(spec.tag)] = True
        mask &= tagged
    return np.flatnonzero(mask)


def load() -> list[RuleSpec]:
    """Read the active rules from Postgres (one query)."""
    rules = Rule.objects.filter(is_active=True).select_related("placement")
    return [
        RuleSpec(
            pk=rule.pk,
            action=rule.action,
            placement=rule.placement.name if rule.placement else "",
            item_pk=rule.item_id,
            category=rule.category,
            tag=rule.tag,
            position=rule.position or 0,
            multiplier=rule.multiplier,
            priority=rule.priority,
            active_from=rule.active_from.timestamp() if rule.active_from else -np.inf,
            active_until=rule.active_until.timestamp() if rule.active_until else np.inf,
        )
        for rule in rules
    ]


_copy = ProcessCopy[list[RuleSpec]](lambda revision, earlier: load())
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
