"""Figures of some days as lines: figures in, coordinates out. The template draws them without inline styles.

Coordinates are SVG units, as text, so that no locale gets at them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from recommender.metric_charts import Tick, ticks_up_to

WIDTH = 480
HEIGHT = 200
LEFT, RIGHT, TOP, BOTTOM = 48, 456, 10, 168
COLOURS = ("#7c3aed", "#0d9488", "#d97706", "#db2777", "#2563eb")
"""As many lines as can be told apart, on white and on black."""
MOST_LINES = len(COLOURS)
LABELLED_DAYS = 5

Values = Sequence[float | None]
"""One a day; None leaves a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One day's figure."""

    x: str
    y: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series."""

    name: str
    colour: str
    path: str
    dots: tuple[Dot, ...]
    latest: str
    """Its last figure; empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChart:
    """All that the template draws."""

    title: str
    ticks: tuple[Tick, ...]
    days: tuple[Tick, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM


def lines(title: str, days: Sequence[date], series: Mapping[str, Values], unit: str = "") -> DayChart:
    """Return one line a series, the first day on the left, with values from 0 at the bottom.

    Parameters
    ----------
    series
        Name → a value, 0 or more, for each of `days`; at most MOST_LINES of them.
    unit
        Written behind the figures.
    """
    top = max((value for values in series.values() for value in values if value is not None), default=0.0)
    ticks = ticks_up_to(top)
    step = (RIGHT - LEFT) / max(len(days) - 1, 1)

    def x(place: int) -> str:
        return _text(LEFT + step * place)

    def y(value: float) -> str:
        return _text(BOTTOM - value / ticks[-1] * (BOTTOM - TOP))

    def line(name: str, colour: str, values: Values) -> Line:
        dots = [
            None if value is None else Dot(x=x(place), y=y(value), text=f"{day:%Y-%m-%d}: {_figure(value)}{unit}")
            for place, (day, value) in enumerate(zip(days, values, strict=True))
        ]
        known = [value for value in values if value is not None]
        return Line(
            name=name,
            colour=colour,
            path=_path(dots),
            dots=tuple(dot for dot in dots if dot is not None),
            latest=f"{_figure(known[-1])}{unit}" if known else "",
        )

    # Counted back from the last day, which is the one that is looked for.
    every = max(-(-len(days) // LABELLED_DAYS), 1)
    labelled = [place for place in range(len(days)) if (len(days) - 1 - place) % every == 0]
    return DayChart(
        title=title,
        ticks=tuple(Tick(at=y(tick), label=f"{tick:g}{unit}") for tick in ticks),
        days=tuple(Tick(at=x(place), label=f"{days[place].day} {days[place]:%b}") for place in labelled),
        lines=tuple(
            line(name, colour, values) for colour, (name, values) in zip(COLOURS, series.items(), strict=False)
        ),
    )


def _path(dots: Sequence[Dot | None]) -> str:
    """Return the line from dot to dot, broken where there is none."""
    steps = []
    before: Dot | None = None
    for dot in dots:
        if dot is not None:
            steps.append(f"{'M' if before is None else 'L'}{dot.x} {dot.y}")
        before = dot
    return " ".join(steps)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(coordinate: float) -> str:
    return f"{coordinate:.1f}"
