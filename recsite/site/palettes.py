"""Colours and motifs of drawn posters: those of a known category, for every other one chosen by its name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Palette:
    """Five colours as #rrggbb. `ink` is readable on `deep` (contrast ≥ 7:1, asserted by a test)."""

    deep: str
    middle: str
    bright: str
    glow: str
    ink: str


@dataclass(frozen=True, slots=True)
class Style:
    """What the posters of one category may look like; each item draws one palette and one motif of these."""

    palettes: tuple[Palette, ...]
    motifs: tuple[str, ...]
    """Names of `recsite.site.motifs.MOTIFS`."""


MIDNIGHT = Palette("#0d1b3e", "#27418f", "#5d8bf4", "#f2c14e", "#f4f6ff")
TEAL = Palette("#06302f", "#0f6461", "#2bb3a3", "#f6d186", "#effaf6")
EMBER = Palette("#3a0d0c", "#8f2215", "#e4572e", "#ffc857", "#fff4ea")
PLUM = Palette("#2a0f3a", "#63297f", "#b15fc9", "#ffb3a7", "#fbf2ff")
FOREST = Palette("#10291a", "#2a5b35", "#6ea34f", "#f0d97d", "#f4faee")
ROSE = Palette("#431127", "#96284f", "#e8638c", "#ffd0b5", "#fff1f4")
SLATE = Palette("#171c24", "#3b4757", "#8493a8", "#e0b973", "#f3f5f8")
OCEAN = Palette("#062a4a", "#0b5a8c", "#35a7d8", "#ffe08a", "#eef8ff")
SAND = Palette("#3b2410", "#85552a", "#d69a53", "#ffe3ab", "#fff7e8")
BLOOD = Palette("#1b0a0e", "#56121f", "#b3202f", "#e9d8c8", "#fdf1ee")
SUNNY = Palette("#4a2200", "#b0550a", "#f59b23", "#ffe98a", "#fff8e6")
VIOLET = Palette("#17124a", "#3f349b", "#8577f2", "#7de2d1", "#f3f2ff")

COPPER = Palette("#2b1512", "#7a3b2a", "#d9825b", "#f7dfb9", "#fff5ec")
MOSS = Palette("#1f2410", "#566124", "#a8b545", "#f6e9a6", "#fafbe9")
ICE = Palette("#0f2430", "#2f6075", "#8cc9d9", "#fdf3d8", "#f1fafc")

STYLES = {
    "action": Style((EMBER, SLATE, SUNNY), ("rays", "skyline", "blinds", "peaks")),
    "adventure": Style((SAND, FOREST, OCEAN), ("peaks", "waves", "moon", "rays")),
    "animation": Style((SUNNY, OCEAN, VIOLET, ROSE), ("bubbles", "confetti", "peaks", "grid")),
    "biography": Style((SLATE, SAND, TEAL), ("arcs", "grid", "bars")),
    "children": Style((OCEAN, SUNNY, ROSE), ("bubbles", "confetti", "waves")),
    "comedy": Style((SUNNY, ROSE, TEAL, OCEAN), ("confetti", "bubbles", "grid", "arcs")),
    "crime": Style((SLATE, BLOOD, COPPER), ("skyline", "blinds", "moon", "arcs")),
    "documentary": Style((FOREST, ICE, SLATE), ("grid", "arcs", "bars", "waves")),
    "drama": Style((TEAL, COPPER, SLATE, ICE, MOSS), ("arcs", "waves", "peaks", "grid", "moon")),
    "family": Style((OCEAN, SUNNY, FOREST), ("bubbles", "confetti", "waves")),
    "fantasy": Style((PLUM, VIOLET, FOREST), ("peaks", "moon", "orbits", "waves")),
    "film-noir": Style((SLATE, MIDNIGHT), ("blinds", "skyline", "moon")),
    "history": Style((SAND, COPPER, MOSS), ("grid", "arcs", "peaks", "rays")),
    "horror": Style((BLOOD, SLATE, PLUM), ("moon", "blinds", "waves", "rays")),
    "imax": Style((OCEAN, ICE), ("rays", "waves", "peaks")),
    "music": Style((VIOLET, ROSE, TEAL), ("bars", "arcs", "grid")),
    "musical": Style((VIOLET, ROSE, SUNNY), ("bars", "confetti", "rays")),
    "mystery": Style((MIDNIGHT, PLUM, SLATE), ("moon", "blinds", "skyline", "arcs")),
    "romance": Style((ROSE, COPPER, PLUM), ("waves", "bubbles", "moon", "arcs")),
    "sci-fi": Style((MIDNIGHT, VIOLET, TEAL, ICE), ("orbits", "arcs", "peaks", "grid", "skyline")),
    "science fiction": Style((MIDNIGHT, VIOLET, TEAL, ICE), ("orbits", "arcs", "peaks", "grid", "skyline")),
    "sport": Style((FOREST, OCEAN), ("rays", "arcs", "bars")),
    "thriller": Style((TEAL, SLATE, BLOOD), ("blinds", "skyline", "rays", "arcs")),
    "war": Style((MOSS, SLATE, EMBER), ("rays", "peaks", "blinds")),
    "western": Style((SAND, COPPER, EMBER), ("moon", "peaks", "waves", "rays")),
}

PALETTES = (MIDNIGHT, TEAL, EMBER, PLUM, FOREST, ROSE, SLATE, OCEAN, SAND, BLOOD, SUNNY, VIOLET, COPPER, MOSS, ICE)
_MOTIFS = ("arcs", "bars", "bubbles", "confetti", "grid", "orbits", "peaks", "rays", "waves")


def style_of(category: str) -> Style:
    """Return the style of `category`, always the same for the same name."""
    known = STYLES.get(category.strip().lower())
    if known is not None:
        return known
    draw = Random(hashlib.sha256(category.encode("utf-8", "replace")).digest())
    return Style(tuple(draw.sample(PALETTES, 3)), tuple(draw.sample(_MOTIFS, 3)))
