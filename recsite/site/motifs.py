"""The geometric motifs of drawn posters: SVG shapes in a box of given size, varied by a seeded generator.

Each function returns markup made of numbers and palette colours only, never of catalogue text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import cos, pi, sin
from random import Random

from recsite.site.palettes import Palette

Motif = Callable[[Random, Palette, float, float], str]


def arcs(random: Random, palette: Palette, width: float, height: float) -> str:
    """Concentric rings that rise from an edge."""
    x, y = width * random.choice((0.0, 0.5, 1.0)), height * random.uniform(0.25, 0.6)
    colours = (palette.middle, palette.bright, palette.glow)
    step = max(width, height) * random.uniform(0.1, 0.14)
    rings = [_circle(x, y, step * (7 - n), colours[n % 2]) for n in range(6)]
    return "".join([*rings, _circle(x, y, step, palette.glow)])


def bars(random: Random, palette: Palette, width: float, height: float) -> str:
    """Columns of unequal height, as of an equaliser."""
    n = 9
    step = width / n
    shapes = []
    for column in range(n):
        tall = height * (0.16 + 0.42 * abs(sin(column * 0.7 + random.random() * 1.4)))
        colour = (palette.middle, palette.bright, palette.glow)[random.choices((0, 1, 2), (5, 4, 1))[0]]
        shapes.append(
            _rectangle(column * step + step * 0.15, height * 0.62 - tall, step * 0.7, tall, colour, step * 0.35)
        )
    return "".join(shapes)


def blinds(random: Random, palette: Palette, width: float, height: float) -> str:
    """A lamp behind slanted slats."""
    light = _circle(width * random.uniform(0.3, 0.7), height * 0.34, height * 0.2, palette.glow)
    slats = []
    slant = height * random.uniform(0.06, 0.16) * random.choice((-1, 1))
    thickness = height * 0.038
    for n in range(12):
        y = height * (0.02 + 0.062 * n)
        colour = palette.middle if n % 2 else palette.deep
        points = ((0, y), (width, y + slant), (width, y + slant + thickness), (0, y + thickness))
        slats.append(_polygon(points, colour))
    return light + "".join(slats)


def bubbles(random: Random, palette: Palette, width: float, height: float) -> str:
    """Translucent discs."""
    colours = (palette.middle, palette.bright, palette.glow)
    size = min(width, height)
    return "".join(
        _circle(
            random.uniform(0, width),
            random.uniform(0, height * 0.7),
            size * random.uniform(0.07, 0.3),
            colours[n % 3],
            random.choice((0.55, 0.75, 0.95)),
        )
        for n in range(9)
    )


def confetti(random: Random, palette: Palette, width: float, height: float) -> str:
    """Tilted tiles and dots on a loose grid."""
    columns = 4
    step = width / columns
    shapes = []
    for row in range(int(height * 0.62 / step) + 1):
        for column in range(columns):
            x, y = (column + 0.5) * step, (row + 0.5) * step
            colour = random.choice((palette.middle, palette.middle, palette.bright, palette.glow))
            radius = step * random.uniform(0.22, 0.4)
            if random.random() < 0.45:
                shapes.append(_circle(x, y, radius, colour))
            else:
                turn = random.uniform(0, pi / 2)
                corners = [(x + radius * cos(turn + k * pi / 2), y + radius * sin(turn + k * pi / 2)) for k in range(4)]
                shapes.append(_polygon(corners, colour))
    return "".join(shapes)


def grid(random: Random, palette: Palette, width: float, height: float) -> str:
    """Quarter discs in squares."""
    columns = 3 if height > width else 6
    step = width / columns
    shapes = []
    for row in range(int(height * 0.66 / step) + 1):
        for column in range(columns):
            x, y = column * step, row * step
            shapes.append(_rectangle(x, y, step, step, random.choice((palette.deep, palette.middle))))
            corner = random.randrange(4)
            cx, cy = x + step * (corner % 2), y + step * (corner // 2)
            sweep = ((cx, y + step * (1 - corner // 2)), (x + step * (1 - corner % 2), cy))
            direction = 1 if corner in (1, 2) else 0
            colour = random.choice((palette.bright, palette.bright, palette.glow, palette.middle))
            shapes.append(
                f'<path d="M{cx:.0f} {cy:.0f}L{sweep[0][0]:.0f} {sweep[0][1]:.0f}A{step:.0f} {step:.0f} 0 0 '
                f'{direction} {sweep[1][0]:.0f} {sweep[1][1]:.0f}Z" fill="{colour}"/>'
            )
    return "".join(shapes)


def moon(random: Random, palette: Palette, width: float, height: float) -> str:
    """A large disc over bare hills."""
    size = min(width, height)
    x, y = width * random.uniform(0.2, 0.8), height * random.uniform(0.18, 0.42)
    radius = size * random.uniform(0.16, 0.34)
    stars = "".join(
        _circle(
            random.uniform(0, width),
            random.uniform(0, height * 0.5),
            size * 0.005 * random.randint(1, 3),
            palette.ink,
            0.7,
        )
        for _ in range(26)
    )
    disc = _circle(x, y, radius * 1.32, palette.bright, 0.35) + _circle(x, y, radius, palette.glow)
    hills = _ridge(random, palette.middle, width, height, 0.5, 0.08) + _ridge(
        random, palette.deep, width, height, 0.6, 0.06
    )
    return stars + disc + hills


def orbits(random: Random, palette: Palette, width: float, height: float) -> str:
    """A planet with tilted rings and stars."""
    size = min(width, height)
    x, y = width * random.uniform(0.35, 0.65), height * random.uniform(0.28, 0.4)
    stars = "".join(
        _circle(
            random.uniform(0, width),
            random.uniform(0, height * 0.75),
            size * 0.0045 * random.randint(1, 3),
            palette.ink,
            0.8,
        )
        for _ in range(40)
    )
    planet = _circle(x, y, size * 0.23, palette.middle) + _circle(
        x - size * 0.05, y - size * 0.05, size * 0.17, palette.bright, 0.75
    )
    tilt = random.choice((-1, 1)) * random.randint(12, 38)
    rings = "".join(
        f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="{size * reach:.0f}" ry="{size * reach * 0.3:.0f}" fill="none" '
        f'stroke="{palette.glow}" stroke-width="{size * 0.008:.1f}" opacity="{1.25 - reach:.2f}" '
        f'transform="rotate({tilt} {x:.0f} {y:.0f})"/>'
        for reach in (0.36, 0.5, 0.66)
    )
    angle = random.uniform(0, 2 * pi)
    satellite = _circle(x + size * 0.42 * cos(angle), y + size * 0.3 * sin(angle), size * 0.035, palette.glow)
    return stars + planet + rings + satellite


def peaks(random: Random, palette: Palette, width: float, height: float) -> str:
    """A sun behind layered mountains."""
    size = min(width, height)
    sun = _circle(width * random.uniform(0.25, 0.75), height * random.uniform(0.2, 0.3), size * 0.15, palette.glow)
    layers = []
    for colour, base, rise in ((palette.bright, 0.36, 0.15), (palette.middle, 0.47, 0.14), (palette.deep, 0.58, 0.1)):
        points = [(0.0, height), (0.0, height * base)]
        n = random.randint(3, 5)
        for peak in range(n):
            points.append(
                ((peak + random.uniform(0.3, 0.7)) * width / n, height * (base - rise * random.uniform(0.5, 1)))
            )
            points.append(((peak + 1) * width / n, height * (base + rise * random.uniform(-0.1, 0.3))))
        layers.append(_polygon([*points, (width, height)], colour))
    return sun + "".join(layers)


def rays(random: Random, palette: Palette, width: float, height: float) -> str:
    """Beams from one point."""
    x, y = width * random.uniform(0.2, 0.8), height * random.uniform(0.4, 0.56)
    reach = (width + height) * 1.1
    n = random.choice((9, 11, 13))
    turn = random.random() * pi
    beams = []
    for beam in range(n):
        start, end = turn + 2 * pi * beam / n, turn + 2 * pi * (beam + 0.5) / n
        points = (
            (x, y),
            (x + reach * cos(start), y + reach * sin(start)),
            (x + reach * cos(end), y + reach * sin(end)),
        )
        beams.append(_polygon(points, palette.middle))
    size = min(width, height)
    return "".join(beams) + _circle(x, y, size * 0.25, palette.bright) + _circle(x, y, size * 0.14, palette.glow)


def skyline(random: Random, palette: Palette, width: float, height: float) -> str:
    """Towers at night, a few windows lit."""
    size = min(width, height)
    moon_shape = _circle(width * random.uniform(0.2, 0.8), height * 0.18, size * 0.1, palette.glow)
    return moon_shape + "".join(_towers(random, palette, width, height))


def waves(random: Random, palette: Palette, width: float, height: float) -> str:
    """Swelling lines under a low sun."""
    size = min(width, height)
    horizon = random.uniform(0.22, 0.4)
    x, y = width * random.uniform(0.2, 0.8), height * (horizon - random.uniform(-0.02, 0.08))
    sun = _circle(x, y, size * random.uniform(0.12, 0.26), palette.glow)
    layers = []
    colours = random.choice(
        (
            (palette.bright, palette.middle, palette.bright, palette.middle, palette.deep),
            (palette.middle, palette.bright, palette.middle, palette.deep),
            (palette.bright, palette.bright, palette.middle, palette.middle, palette.deep),
        )
    )
    for n, colour in enumerate(colours):
        base = height * (horizon + 0.08 * n)
        swell = height * random.uniform(0.015, 0.085) * (-1) ** n
        layers.append(
            f'<path d="M0 {base:.0f}Q{width / 4:.0f} {base - swell * 2:.0f} {width / 2:.0f} {base:.0f}T{width:.0f} '
            f'{base:.0f}V{height:.0f}H0Z" fill="{colour}"/>'
        )
    return sun + "".join(layers)


MOTIFS: dict[str, Motif] = {
    motif.__name__: motif
    for motif in (arcs, bars, blinds, bubbles, confetti, grid, moon, orbits, peaks, rays, skyline, waves)
}


def _towers(random: Random, palette: Palette, width: float, height: float) -> Iterator[str]:
    for colour, base in ((palette.middle, 0.36), (palette.deep, 0.48)):
        x = 0.0
        while x < width:
            broad = min(width, height) * random.uniform(0.11, 0.2)
            top = height * (base + random.uniform(-0.09, 0.09))
            yield _rectangle(x, top, broad, height - top, colour)
            pane = broad / 7
            for window in range(6):
                if random.random() < 0.45:
                    left = x + pane * (1 + 2 * (window % 3))
                    yield _rectangle(left, top + pane * (1.5 + 2.4 * (window // 3)), pane, pane * 1.4, palette.glow)
            x += broad + 2


def _ridge(random: Random, colour: str, width: float, height: float, base: float, rise: float) -> str:
    y = height * base
    lift, drop = height * rise * random.uniform(0.6, 1.4), height * rise * random.uniform(0.2, 0.8)
    return (
        f'<path d="M0 {y:.0f}C{width * 0.3:.0f} {y - lift:.0f} {width * 0.6:.0f} {y + drop:.0f} {width:.0f} '
        f'{y - lift * 0.5:.0f}V{height:.0f}H0Z" fill="{colour}"/>'
    )


def _circle(x: float, y: float, radius: float, colour: str, opacity: float = 1.0) -> str:
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.1f}" fill="{colour}"{faint}/>'


def _rectangle(x: float, y: float, width: float, height: float, colour: str, corner: float = 0.0) -> str:
    rounded = f' rx="{corner:.1f}"' if corner else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"{rounded}/>'


def _polygon(points: Iterable[tuple[float, float]], colour: str) -> str:
    text = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    return f'<polygon points="{text}" fill="{colour}"/>'
