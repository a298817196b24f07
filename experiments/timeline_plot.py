"""How an effect came to be, as a drawing: looks in, coordinates out. Drawn without inline styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.analysis.findings import Look
from experiments.analysis.sequential import running_minimum

WIDTH, HEIGHT = 640, 180
LEFT, MARGIN = 90, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """One variant's effect over days; coordinates in SVG units, as text."""

    variant: str
    line: str
    """Points of the estimates."""
    band: str
    """Points round the intervals."""
    dots: tuple[tuple[str, str, str], ...]
    """(x, y, words) of each day."""
    zero: str
    """Height at which there is no effect."""
    top: str
    bottom: str
    """What the axis says at its ends."""
    first: str
    last: str
    """Days at its ends."""
    p: str
    """The smallest always-valid p-value of any day so far: it never rises again."""


def timelines(looks: Sequence[Look], *, is_share: bool) -> list[Timeline]:
    """Return a drawing a variant, over the days on which there was something to test; none without two of them.

    Parameters
    ----------
    is_share
        Effects are differences of shares, and said in points.
    """
    variants = list(looks[-1].effects) if looks else []
    return [drawn for variant in variants if (drawn := _timeline(looks, variant, is_share)) is not None]


def _timeline(looks: Sequence[Look], variant: str, is_share: bool) -> Timeline | None:
    days = [(look.day, look.effects[variant]) for look in looks if not look.effects[variant].message]
    if len(days) < 2:
        return None
    # The first days' intervals are so wide that they would flatten all others.
    widest = max(effect.high - effect.low for _, effect in days[len(days) // 4 :])
    middle = days[-1][1].estimate
    low = min(0.0, max(min(effect.low for _, effect in days), middle - widest))
    high = max(0.0, min(max(effect.high for _, effect in days), middle + widest))
    first, span = days[0][0], (days[-1][0] - days[0][0]).days or 1

    def x(at: int) -> float:
        return LEFT + (days[at][0] - first).days / span * (WIDTH - LEFT - MARGIN)

    def y(value: float) -> float:
        return MARGIN + (high - min(max(value, low), high)) / ((high - low) or 1.0) * (HEIGHT - 2 * MARGIN)

    def points(values: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in values)

    def said(value: float) -> str:
        return f"{100 * value:+.2f} points" if is_share else f"{value:+.4g}"

    every = range(len(days))
    upper = [(at, days[at][1].high) for at in every]
    lower = [(at, days[at][1].low) for at in reversed(every)]
    return Timeline(
        variant=variant,
        line=points([(at, days[at][1].estimate) for at in every]),
        band=points([*upper, *lower]),
        dots=tuple(
            (
                f"{x(at):.1f}",
                f"{y(effect.estimate):.1f}",
                f"{day}: {said(effect.estimate)} ({said(effect.low)} to {said(effect.high)})",
            )
            for at, (day, effect) in enumerate(days)
        ),
        zero=f"{y(0.0):.1f}",
        top=said(high),
        bottom=said(low),
        first=str(days[0][0]),
        last=str(days[-1][0]),
        p=f"{running_minimum(effect.p for _, effect in days)[-1]:.2g}",
    )
