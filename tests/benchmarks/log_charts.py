"""Charts with logarithmic axes, as plain SVG like those of `charts`: what grows by factors, not by steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from tests.benchmarks.figures import readable

LEFT, TOP, WIDTH, HEIGHT, LEGEND = 80, 56, 560, 320, 190
COLOURS = ("#7a8ba8", "#c2583f", "#2f9e6e", "#a97fc4")
TEXT = "#808080"


def curves(
    path: Path,
    title: str,
    x_label: str,
    y_label: str,
    values: Mapping[str, Sequence[tuple[float, float]]],
    *,
    log_y: bool = True,
) -> None:
    """Write a line through the points (x > 0, y) of each name; y from 0 to 1 unless `log_y`, then above 0 too."""
    xs = [x for points in values.values() for x, _ in points]
    ys = [y for points in values.values() for _, y in points]
    x_powers = range(math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs))) + 1)
    y_powers = range(math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys))) + 1) if log_y else range(0)

    def across(x: float) -> float:
        return LEFT + WIDTH * (math.log10(x) - x_powers[0]) / max(x_powers[-1] - x_powers[0], 1)

    def down(y: float) -> float:
        share = (math.log10(y) - y_powers[0]) / max(y_powers[-1] - y_powers[0], 1) if log_y else y
        return TOP + HEIGHT * (1 - share)

    bottom, right = TOP + HEIGHT, LEFT + WIDTH
    parts = [
        _text(12, 24, title, size=15),
        f'<path d="M{LEFT} {TOP} V{bottom} H{right}" fill="none" stroke="{TEXT}"/>',
        _text(right, bottom + 36, x_label, anchor="end"),
        _text(LEFT, TOP - 10, y_label),
    ]
    parts += [_text(across(10.0**power), bottom + 16, readable(10.0**power), anchor="middle") for power in x_powers]
    ticks = [10.0**power for power in y_powers] if log_y else [0.25, 0.5, 0.75, 1.0]
    parts += [_text(LEFT - 6, down(tick) + 4, readable(tick), anchor="end") for tick in ticks]
    for place, (name, points) in enumerate(values.items()):
        colour = COLOURS[place % len(COLOURS)]
        line = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-dasharray="3 3"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="4" fill="{colour}"/>' for x, y in points]
        parts.append(f'<circle cx="{right + 20}" cy="{TOP + 20 * place}" r="4" fill="{colour}"/>')
        parts.append(_text(right + 30, TOP + 20 * place + 4, name))
    width, height = right + LEGEND, bottom + 50
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif">\n{body}\n</svg>\n',
        encoding="utf-8",
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{TEXT}">{escape(text)}</text>'
    )
