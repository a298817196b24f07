"""Who stands where: pins, soft pins and promotions among the organic items, within the caps.

The one order in which conflicts are resolved, most binding first:

1. What may not stand in the list at all is not among what is given here.
2. Caps: no window of places holds more of one value than its cap says, whoever put the items there.
3. The organic share: at least that share of the list is placed by score alone.
4. Pins, then soft pins, then promotions, each by priority: whoever comes later takes what is left, and stands aside
   where 2 or 3 leave no room.
5. Everything else by score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.arrays import RowArray

Values = Callable[[int], Iterable[int]]
"""Row → the values that a cap counts of it; none of an item that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `at_most` items of one value in any `window` places in a row."""

    at_most: int
    window: int
    values: Values


@dataclass(frozen=True, slots=True)
class Pin:
    """An item at a place, 0 is first. A soft pin may stand before it as well."""

    place: int
    row: int
    rule: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """So many places of a list for some items, spread evenly."""

    rule: int
    places: int
    """How many; with fewer items, as many as there are."""
    rows: Iterable[int]
    """The items, best first; read only as far as it takes."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One place of the list."""

    row: int
    rule: int | None
    """The rule that put it there; None: its score did."""


def spread(places: int, limit: int) -> list[int]:
    """Return `places` distinct places among `limit`, as far from each other and from the ends as they can be."""
    places = min(places, limit)
    return [(2 * number + 1) * limit // (2 * places) for number in range(places)]


def place(
    organic: RowArray,
    limit: int,
    *,
    pins: Sequence[Pin] = (),
    soft_pins: Sequence[Pin] = (),
    promotions: Sequence[Promotion] = (),
    caps: Sequence[Cap] = (),
    organic_share: float = 0.0,
) -> list[Placed]:
    """Return the list: at most `limit` places, no item twice.

    Parameters
    ----------
    organic
        Rows that may stand in the list for their score, best first.
    pins, soft_pins, promotions
        By priority, the most important first.
    organic_share
        0..1 of the list.
    """
    counted = _Caps(caps)
    fixed = _Fixed(limit, counted, limit - math.ceil(organic_share * limit - 1e-9))
    best = organic.tolist()
    for pin in pins:
        fixed.put(pin.place, pin.row, pin.rule)
    for pin in soft_pins:
        # Where its score alone puts it early enough, it takes no place by rule.
        by_score = pin.row in best[: pin.place + 1] and _place_of(pin.row, _filled(best, limit, fixed, counted))
        if by_score is False or by_score is None or by_score > pin.place:
            any(fixed.put(earlier, pin.row, pin.rule) for earlier in range(min(pin.place, limit - 1), -1, -1))
    for promotion in promotions:
        fixed.promote(promotion)
    while True:
        filled = _filled(best, limit, fixed, counted)
        by_rule = sum(one.rule is not None for one in filled)
        if by_rule <= len(filled) - math.ceil(organic_share * len(filled) - 1e-9) or not fixed.drop_last():
            return filled


class _Caps:
    """The caps of one list, and what each row counts as."""

    def __init__(self, caps: Sequence[Cap]) -> None:
        self._caps = caps
        self._values: list[dict[int, tuple[int, ...]]] = [{} for _ in caps]

    def allow(self, row: int, place: int, rows: Sequence[int | None]) -> bool:
        """Whether the item may stand at `place` beside what stands at the places of `rows`."""
        return all(self._allows(number, row, place, rows) for number in range(len(self._caps)))

    def _allows(self, number: int, row: int, place: int, rows: Sequence[int | None]) -> bool:
        cap = self._caps[number]
        held = self._values[number]
        for value in self._values_of(number, row):
            first_near = max(place - cap.window + 1, 0)
            near = [
                at
                for at, other in enumerate(rows[first_near : place + cap.window], first_near)
                # Whatever stands has been asked about.
                if other is not None and at != place and value in held[other]
            ]
            # One too many in a row of places is `at_most` others and this one within a window.
            for first in range(len(near) - cap.at_most + 1):
                last = near[first + cap.at_most - 1]
                if max(last, place) - min(near[first], place) < cap.window:
                    return False
        return True

    def _values_of(self, number: int, row: int) -> tuple[int, ...]:
        held = self._values[number]
        if row not in held:
            held[row] = tuple(self._caps[number].values(row))
        return held[row]


class _Fixed:
    """The places that rules have taken, in the order in which they took them."""

    def __init__(self, limit: int, caps: _Caps, at_most: int) -> None:
        self.limit, self.caps, self.at_most = limit, caps, at_most
        self.at: dict[int, Placed] = {}
        self.rows: list[int | None] = [None] * limit

    def put(self, place: int, row: int, rule: int) -> bool:
        """Take a place for an item; False when it is taken, or a cap or the organic share forbids it."""
        if not 0 <= place < self.limit or self.rows[place] is not None or row in self.rows:
            return False
        if len(self.at) >= self.at_most or not self.caps.allow(row, place, self.rows):
            return False
        self.at[place] = Placed(row, rule)
        self.rows[place] = row
        return True

    def promote(self, promotion: Promotion) -> None:
        """Put the promotion's items at its places, or at the free ones nearest behind, then before them."""
        rows = iter(promotion.rows)
        row = next(rows, None)
        for wanted in spread(promotion.places, self.limit):
            nearest = [*range(wanted, self.limit), *range(wanted - 1, -1, -1)]
            while row is not None and not any(self.put(place, row, promotion.rule) for place in nearest):
                if len(self.at) >= self.at_most:
                    return
                row = next(rows, None)
            row = next(rows, None)

    def drop_last(self) -> bool:
        """Give back the place that was taken last; False when there is none."""
        if not self.at:
            return False
        place, _ = self.at.popitem()
        self.rows[place] = None
        return True


def _filled(organic: Sequence[int], limit: int, fixed: _Fixed, caps: _Caps) -> list[Placed]:
    """Return the list with the other places given to the best organic items that the caps allow there.

    Where none is left the list closes up: what a rule put behind comes earlier.
    """
    reserved = {one.row for one in fixed.at.values()}
    waiting = [row for row in organic if row not in reserved]
    ahead = sorted(fixed.at, reverse=True)
    rows = list(fixed.rows)
    filled: list[Placed] = []
    while len(filled) < limit:
        here = len(filled)
        chosen = None
        if not (ahead and ahead[-1] <= here):
            found = next((n for n, row in enumerate(waiting) if caps.allow(row, here, rows)), None)
            chosen = None if found is None else Placed(waiting.pop(found), None)
        if chosen is None:
            if not ahead:
                break
            planned = ahead.pop()
            chosen = fixed.at[planned]
            rows[planned] = None
            # Closed up, it may have come within a window of what it must not meet.
            if not caps.allow(chosen.row, here, rows):
                continue
        rows[here] = chosen.row
        filled.append(chosen)
    return filled


def _place_of(row: int, filled: Sequence[Placed]) -> int | None:
    return next((place for place, one in enumerate(filled) if one.row == row), None)


def rows_of(filled: Sequence[Placed]) -> RowArray:
    """Return (n,) the rows of a list."""
    return np.array([one.row for one in filled], dtype=np.int64)
