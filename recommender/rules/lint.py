"""What is wrong with rules together: refused before publishing, or said as a warning; and what to do about it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from catalog.snapshot import Catalogue
from recommender.rules import matching, validation
from recommender.rules.vocabulary import Action, Audience, RuleSpec

_PINS = (Action.PIN, Action.SOFT_PIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing."""

    is_error: bool
    """Nothing with an error is published."""
    rules: tuple[int, ...]
    """Keys of the rules concerned."""
    field: str
    """Of the first of them, "" for the whole rule."""
    message: str
    """What is wrong and what to do."""

    def __str__(self) -> str:
        return self.message


def findings(
    specs: Sequence[RuleSpec], catalogue: Catalogue | None = None, *, minimum: int = 1, now: float | None = None
) -> list[Finding]:
    """Return everything found, errors first.

    Parameters
    ----------
    catalogue
        To find out which items rules mean; without it that is not checked.
    minimum
        Items that a list must be able to hold.
    now
        POSIX seconds; None: the present moment.
    """
    moment = time.time() if now is None else now
    invalid = {spec.pk for spec in specs if validation.errors(spec)}
    sound = [spec for spec in specs if spec.pk not in invalid]
    found = [*_invalid(specs), *_same_place(sound), *_outdone(sound), *_expired(sound, moment)]
    if catalogue is not None:
        found += [*_meaning_nothing(sound, catalogue, moment), *_leaving_too_few(sound, catalogue, minimum, moment)]
    return sorted(found, key=lambda finding: not finding.is_error)


def _invalid(specs: Sequence[RuleSpec]) -> Iterator[Finding]:
    for spec in specs:
        for field, message in validation.errors(spec).items():
            yield Finding(is_error=True, rules=(spec.pk,), field=field, message=f"{_called(spec)}: {message}")


def _same_place(specs: Sequence[RuleSpec]) -> Iterator[Finding]:
    pins = [spec for spec in specs if spec.action in _PINS]
    for one, other in combinations(pins, 2):
        if not meet(one, other):
            continue
        together = (one.pk, other.pk)
        if one.items == other.items:
            message = f"{_called(one)} and {_called(other)} pin the same item for the same people; delete one of them."
            yield Finding(is_error=True, rules=together, field="items", message=message)
        elif one.position == other.position and one.action == other.action == Action.PIN:
            if one.priority == other.priority:
                message = (
                    f"{_called(one)} and {_called(other)} both want position {one.position}, with the same priority. "
                    "Give one of them another position, a higher priority, or other people or times."
                )
                yield Finding(is_error=True, rules=together, field="position", message=message)
            else:
                first, second = (one, other) if one.priority > other.priority else (other, one)
                message = f"{_called(second)} is never seen where {_called(first)} has position {one.position}."
                yield Finding(is_error=False, rules=(second.pk, first.pk), field="position", message=message)


def _outdone(specs: Sequence[RuleSpec]) -> Iterator[Finding]:
    """Find rules against fatigue that another one about the same items always comes before."""
    for one, other in permutations([spec for spec in specs if spec.action == Action.FATIGUE], 2):
        stricter = one.at_most <= other.at_most and one.window >= other.window
        alike = (one.at_most, one.window) == (other.at_most, other.window)
        if stricter and (not alike or one.pk < other.pk) and _same_items(one, other) and meet(one, other):
            message = f"{_called(other)} does nothing where {_called(one)} holds, which is stricter."
            yield Finding(is_error=False, rules=(other.pk, one.pk), field="at_most", message=message)


def _same_items(one: RuleSpec, other: RuleSpec) -> bool:
    """Return whether the first is about all that the second is about."""
    return not (one.items or one.where) or (set(one.items), one.where) == (set(other.items), other.where)


def _expired(specs: Sequence[RuleSpec], now: float) -> Iterator[Finding]:
    for spec in specs:
        if spec.schedule.until is not None and spec.schedule.until <= now:
            message = f"{_called(spec)} is over; delete it or give it another end."
            yield Finding(is_error=False, rules=(spec.pk,), field="active_until", message=message)


def _meaning_nothing(specs: Sequence[RuleSpec], catalogue: Catalogue, now: float) -> Iterator[Finding]:
    for spec in specs:
        if (spec.items or spec.where) and not len(matching.rows_of(spec, catalogue, now)):
            message = f"{_called(spec)} means no item of the catalogue; look at its items and conditions."
            yield Finding(is_error=False, rules=(spec.pk,), field="where", message=message)


def _leaving_too_few(specs: Sequence[RuleSpec], catalogue: Catalogue, minimum: int, now: float) -> Iterator[Finding]:
    """Ask of each rule that includes or shuts out what is left of the catalogue with all that may meet it."""
    shutting = [spec for spec in specs if spec.action in (Action.HIDE, Action.EXCLUDE, Action.INCLUDE_ONLY)]
    available = catalogue.available(now)
    said: set[tuple[int, ...]] = set()
    for spec in shutting:
        together = [other for other in shutting if other is spec or meet(spec, other)]
        left, included = available.copy(), np.zeros(len(catalogue), dtype=bool)
        for one in together:
            rows = matching.rows_of(one, catalogue, now)
            if one.action == Action.INCLUDE_ONLY:
                included[rows] = True
            else:
                left[rows] = False
        if any(one.action == Action.INCLUDE_ONLY for one in together):
            left &= included
        concerned = tuple(sorted(one.pk for one in together))
        if int(left.sum()) < minimum and concerned not in said:
            said.add(concerned)
            message = (
                f"{', '.join(map(_called, together))} leave {int(left.sum())} items, and a list needs {minimum}. "
                "Include more, or shut out less."
            )
            yield Finding(is_error=True, rules=concerned, field="where", message=message)


def meet(one: RuleSpec, other: RuleSpec) -> bool:
    """Return whether both rules can be in effect for one list at one moment, as far as can be told."""
    a, b = one.schedule, other.schedule
    since = max(-np.inf if a.since is None else a.since, -np.inf if b.since is None else b.since)
    until = min(np.inf if a.until is None else a.until, np.inf if b.until is None else b.until)
    apart = a.weekdays and b.weekdays and not set(a.weekdays) & set(b.weekdays)
    overnight = any(one.opens is not None and (one.closes or 0) <= one.opens for one in (a, b))
    return since < until and not (apart and not overnight) and _overlap(one.audience, other.audience)


def _overlap(one: Audience, other: Audience) -> bool:
    pairs = ((getattr(one, name), getattr(other, name)) for name in ("placements", "countries", "devices"))
    return all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in pairs)


def _called(spec: RuleSpec) -> str:
    return f'"{spec.name}"' if spec.name else f"Rule {spec.pk}"
