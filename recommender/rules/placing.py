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
from collections import Counter
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
    rows: Sequence[int]
    """The items, best first."""


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
    fixed = _Fixed(limit, caps, limit - math.ceil(organic_share * limit - 1e-9))
    for pin in pins:
        fixed.put(pin.place, pin.row, pin.rule)
    # Where score alone would put them, so that a soft pin takes no place that its item has anyway.
    for pin in soft_pins:
        stands = _place_of(pin.row, _filled(organic, limit, fixed, caps))
        if stands is None or stands > pin.place:
            any(fixed.put(earlier, pin.row, pin.rule) for earlier in range(min(pin.place, limit - 1), -1, -1))
    for promotion in promotions:
        fixed.promote(promotion)
    while True:
        filled = _filled(organic, limit, fixed, caps)
        by_rule = sum(one.rule is not None for one in filled)
        if by_rule <= len(filled) - math.ceil(organic_share * len(filled) - 1e-9) or not fixed.drop_last():
            return filled


class _Fixed:
    """The places that rules have taken, in the order in which they took them."""

    def __init__(self, limit: int, caps: Sequence[Cap], at_most: int) -> None:
        self.limit, self.caps, self.at_most = limit, caps, at_most
        self.at: dict[int, Placed] = {}

    def put(self, place: int, row: int, rule: int) -> bool:
        """Take a place for an item; False when it is taken, or a cap or the organic share forbids it."""
        taken = place in self.at or any(one.row == row for one in self.at.values())
        if not 0 <= place < self.limit or taken or len(self.at) >= self.at_most:
            return False
        if not _fits(row, place, {at: one.row for at, one in self.at.items()}, self.caps):
            return False
        self.at[place] = Placed(row, rule)
        return True

    def promote(self, promotion: Promotion) -> None:
        """Put the promotion's items at its places, or at the free ones nearest behind, then before them."""
        rows = iter(promotion.rows)
        row = next(rows, None)
        for wanted in spread(promotion.places, self.limit):
            nearest = [*range(wanted, self.limit), *range(wanted - 1, -1, -1)]
            while row is not None and not any(self.put(place, row, promotion.rule) for place in nearest):
                row = next(rows, None)
            row = next(rows, None)

    def drop_last(self) -> bool:
        """Give back the place that was taken last; False when there is none."""
        if not self.at:
            return False
        self.at.popitem()
        return True


def _filled(organic: RowArray, limit: int, fixed: _Fixed, caps: Sequence[Cap]) -> list[Placed]:
    """Return the list with the other places given to the best organic items that the caps allow there.

    Where none is left the list closes up: what a rule put behind comes earlier.
    """
    reserved = {one.row for one in fixed.at.values()}
    waiting = [row for row in organic.tolist() if row not in reserved]
    ahead = sorted(fixed.at)
    filled: list[Placed] = []
    rows: dict[int, int] = {}
    while len(filled) < limit:
        here = len(filled)
        if ahead and ahead[0] <= here:
            chosen = fixed.at[ahead.pop(0)]
            # Closed up, it may have come within a window of what it must not meet.
            if not _fits(chosen.row, here, rows, caps):
                continue
        else:
            standing = rows | {place: fixed.at[place].row for place in ahead} if caps and ahead else rows
            found = next((n for n, row in enumerate(waiting) if _fits(row, here, standing, caps)), None)
            if found is not None:
                chosen = Placed(waiting.pop(found), None)
            elif ahead:
                chosen = fixed.at[ahead.pop(0)]
                if not _fits(chosen.row, here, rows, caps):
                    continue
            else:
                break
        rows[here] = chosen.row
        filled.append(chosen)
    return filled


def _fits(row: int, place: int, rows: dict[int, int], caps: Sequence[Cap]) -> bool:
    """Whether the caps allow the item at `place` beside what stands at the places of `rows`."""
    for cap in caps:
        values = set(cap.values(row))
        if not values:
            continue
        near = {
            at: values.intersection(cap.values(rows[at]))
            for at in range(place - cap.window + 1, place + cap.window)
            if at != place and at in rows
        }
        for start in range(place - cap.window + 1, place + 1):
            counts = Counter(value for at in range(start, start + cap.window) for value in near.get(at, ()))
            if any(count >= cap.at_most for count in counts.values()):
                return False
    return True


def _place_of(row: int, filled: Sequence[Placed]) -> int | None:
    return next((place for place, one in enumerate(filled) if one.row == row), None)


def rows_of(filled: Sequence[Placed]) -> RowArray:
    """Return (n,) the rows of a list."""
    return np.array([one.row for one in filled], dtype=np.int64)
