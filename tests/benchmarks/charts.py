"""Charts as plain SVG: no library, readable on light and dark pages."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from tests.benchmarks.figures import readable

LABELS = 230
BARS = 460
VALUES = 100
LINE = 26
TOP = 56
LEFT, WIDTH, HEIGHT = 70, 560, 320
"""Of the area between two axes."""
COLOUR, ACCENT, TEXT, MARK = "#7a8ba8", "#c2583f", "#808080", "#2f9e6e"


def bars(
    path: Path,
    title: str,
    unit: str,
    values: Mapping[str, float],
    *,
    highlighted: Sequence[str] = (),
    target: float | None = None,
) -> None:
    """Write one horizontal bar a value (≥ 0), in the given order; `target` is drawn as a line across."""
    largest = max([*values.values(), target or 0.0]) or 1.0
    width, height = LABELS + BARS + VALUES, TOP + LINE * len(values) + 16
    parts = [_text(12, 24, title, size=15, bold=True), _text(12, 43, unit, size=12)]
    for place, (name, value) in enumerate(values.items()):
        top, length = TOP + LINE * place, BARS * value / largest
        colour = ACCENT if name in highlighted else COLOUR
        parts += [
            _text(LABELS - 10, top + 16, name, anchor="end"),
            f'<rect x="{LABELS}" y="{top + 2}" width="{max(length, 1):.1f}" height="{LINE - 6}" fill="{colour}"/>',
            _text(LABELS + length + 8, top + 16, readable(value)),
        ]
    if target is not None:
        x = LABELS + BARS * target / largest
        parts += [
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{height - 12}" stroke="{MARK}" stroke-width="2"/>',
            _text(x, TOP - 9, f"target {readable(target)}", anchor="middle", colour=MARK),
        ]
    _write(path, width, height, parts)


def points(path: Path, title: str, x_label: str, y_label: str, values: Mapping[str, tuple[float, float]]) -> None:
    """Write one labelled point a value (x, y ≥ 0), both axes from zero."""
    parts, place = _axes(title, x_label, y_label, list(values.values()))
    for name, value in values.items():
        across, down = place(value)
        anchor = "end" if across > LEFT + WIDTH * 0.7 else "start"
        parts.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="5" fill="{ACCENT}"/>')
        parts.append(_text(across + (-10 if anchor == "end" else 10), down + 4, name, anchor=anchor))
    _write(path, LEFT + WIDTH + 30, TOP + HEIGHT + 48, parts)


def lines(
    path: Path, title: str, x_label: str, y_label: str, values: Mapping[str, Sequence[tuple[float, float]]]
) -> None:
    """Write one line a series of points (x, y ≥ 0), named at its end, both axes from zero."""
    parts, place = _axes(title, x_label, y_label, [point for series in values.values() for point in series])
    for colour, (name, series) in zip(itertools.cycle((ACCENT, COLOUR, MARK, TEXT)), values.items(), strict=False):
        drawn = [place(point) for point in series]
        corners = " ".join(f"{across:.1f},{down:.1f}" for across, down in drawn)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(drawn[-1][0], drawn[-1][1] - 7, name, anchor="end", colour=colour))
    _write(path, LEFT + WIDTH + 30, TOP + HEIGHT + 48, parts)


def _axes(
    title: str, x_label: str, y_label: str, values: Sequence[tuple[float, float]]
) -> tuple[list[str], Callable[[tuple[float, float]], tuple[float, float]]]:
    """Return what is drawn of them, and where a value stands between them."""
    most_x = max(x for x, _ in values) * 1.05 or 1.0
    most_y = max(y for _, y in values) * 1.05 or 1.0
    bottom, right = TOP + HEIGHT, LEFT + WIDTH
    parts = [
        _text(12, 24, title, size=15, bold=True),
        f'<path d="M{LEFT} {TOP} V{bottom} H{right}" fill="none" stroke="{TEXT}"/>',
        _text(right, bottom + 34, x_label, anchor="end"),
        _text(LEFT, TOP - 8, y_label),
    ]
    for share in (0.25, 0.5, 0.75, 1.0):
        parts.append(_text(LEFT + WIDTH * share, bottom + 16, readable(most_x * share), anchor="middle", size=11))
        parts.append(_text(LEFT - 6, bottom - HEIGHT * share + 4, readable(most_y * share), anchor="end", size=11))
    return parts, lambda value: (LEFT + WIDTH * value[0] / most_x, bottom - HEIGHT * value[1] / most_y)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, bold: bool = False, colour: str = TEXT
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight} fill="{colour}">'
        f"{escape(text)}</text>"
    )


def _write(path: Path, width: int, height: int, parts: Sequence[str]) -> None:
    body = "\n".join(parts)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif">\n{body}\n</svg>\n',
        encoding="utf-8",
    )
