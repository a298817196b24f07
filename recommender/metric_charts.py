"""A metric as a drawing: figures in, coordinates out. The template draws them without inline styles.

Coordinates are SVG units, as text, so that no locale gets at them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH = 800
LABELS = 150
"""Left of the plots: names of lists, or of ticks."""
VALUES = 190
"""Right of a comparison: figures with intervals."""
LINE = 28
PLOT_HEIGHT = 180
TOP = 16
BOTTOM = 40
MOST_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One figure, 0 or more, to be drawn."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    """Its interval; None where there is none."""
    role: str = ""
    """What the template sets apart: any word."""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A figure in its place."""

    measured: Measured
    text: str
    x: str
    y: str
    low: str = ""
    high: str = ""
    """Ends of the interval along the value axis; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled place on the value axis."""

    at: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that the template draws; left, right, top and bottom are the plot's edges."""

    width: int = WIDTH
    left: int
    right: int
    top: int = TOP
    bottom: int
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]

    @property
    def height(self) -> int:
        """The plot and what is written below it."""
        return self.bottom + BOTTOM

    @property
    def path(self) -> str:
        """The line from mark to mark."""
        return "M" + " L".join(f"{mark.x} {mark.y}" for mark in self.marks)


def comparison(figures: Sequence[Measured]) -> Chart:
    """Return one line a figure, the first on top, with values from 0 on the left."""
    left, right, bottom = LABELS, WIDTH - VALUES, TOP + LINE * len(figures)
    ticks = ticks_up_to(_largest(figures))

    def x(value: float) -> str:
        return _text(left + value / ticks[-1] * (right - left))

    return Chart(
        left=left,
        right=right,
        bottom=bottom,
        ticks=_drawn(ticks, x),
        marks=tuple(
            _mark(one, x, x=x(one.value), y=_text(TOP + LINE * (place + 0.5))) for place, one in enumerate(figures)
        ),
    )


def history(figures: Sequence[Measured]) -> Chart:
    """Return one column a figure, the first on the left, with values from 0 at the bottom."""
    left, right, bottom = LABELS // 3, WIDTH - LABELS // 3, TOP + PLOT_HEIGHT
    ticks = ticks_up_to(_largest(figures))
    column = (right - left) / max(len(figures), 1)

    def y(value: float) -> str:
        return _text(bottom - value / ticks[-1] * PLOT_HEIGHT)

    return Chart(
        left=left,
        right=right,
        bottom=bottom,
        ticks=_drawn(ticks, y),
        marks=tuple(
            _mark(one, y, x=_text(left + column * (place + 0.5)), y=y(one.value)) for place, one in enumerate(figures)
        ),
    )


def ticks_up_to(largest: float) -> list[float]:
    """Return at most MOST_TICKS round numbers from 0 to the first that is not below `largest`; 0 and 1 for 0."""
    if largest <= 0:
        return [0.0, 1.0]
    magnitude = 10.0 ** math.floor(math.log10(largest / (MOST_TICKS - 1)))
    steps = (factor * magnitude for factor in (1, 2, 5, 10))
    step = next(step for step in steps if math.ceil(largest / step) < MOST_TICKS)
    return [round(step * number, 12) for number in range(math.ceil(largest / step) + 1)]


def _largest(figures: Sequence[Measured]) -> float:
    return max((max(one.value, one.high or 0.0) for one in figures), default=0.0)


def _drawn(ticks: Sequence[float], place: Callable[[float], str]) -> tuple[Tick, ...]:
    return tuple(Tick(at=place(tick), label=f"{tick:g}") for tick in ticks)


def _mark(one: Measured, place: Callable[[float], str], x: str, y: str) -> Mark:
    """Return the mark at x and y, with its interval, if any, in its place on the value axis."""
    text = f"{one.value:.4f}"
    if one.low is None or one.high is None:
        return Mark(measured=one, text=text, x=x, y=y)
    text += f" ({one.low:.4f}–{one.high:.4f})"
    return Mark(measured=one, text=text, x=x, y=y, low=place(one.low), high=place(one.high))


def _text(coordinate: float) -> str:
    return f"{coordinate:.1f}"
