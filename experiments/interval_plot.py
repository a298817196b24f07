"""Intervals as a drawing: numbers in, coordinates out. The template draws them without inline styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.analysis.sample import Effect

WIDTH = 240
MARGIN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One interval on the axis shared by all of a plot; coordinates in SVG units, as text."""

    low: str
    width: str
    estimate: str
    zero: str
    """Where the axis is 0: no effect."""


def bars(effects: Sequence[Effect]) -> list[Bar | None]:
    """Return a bar an effect, None where there is nothing to draw (a message, or an open interval).

    All bars share one scale, which includes 0.
    """
    drawn = [effect for effect in effects if _is_drawable(effect)]
    low = min((effect.low for effect in drawn), default=0.0)
    high = max((effect.high for effect in drawn), default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return MARGIN + (value - low) / span * (WIDTH - 2 * MARGIN)

    return [
        Bar(
            low=f"{x(effect.low):.1f}",
            width=f"{x(effect.high) - x(effect.low):.1f}",
            estimate=f"{x(effect.estimate):.1f}",
            zero=f"{x(0.0):.1f}",
        )
        if _is_drawable(effect)
        else None
        for effect in effects
    ]


def _is_drawable(effect: Effect) -> bool:
    return not effect.message and math.isfinite(effect.low) and math.isfinite(effect.high)
