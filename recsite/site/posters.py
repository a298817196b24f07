"""Posters drawn from an item's title, category and year, for items that have no picture.

The drawing depends on nothing else, so its digest serves as ETag and as version in the address.
"""

from __future__ import annotations

import hashlib
import unicodedata
from random import Random

from django.utils.html import escape

from catalog.snapshot import ItemCard
from recsite.site.motifs import MOTIFS
from recsite.site.palettes import Palette, style_of

WIDTH, HEIGHT = 400, 600
BACKDROP_WIDTH, BACKDROP_HEIGHT = 1600, 720
_DRAWING = 1
"""Raise when drawings change, so that browsers fetch them again."""

_MARGIN = 32
_LINES_AT_MOST = 5
_CHARACTERS_AT_MOST = 200
"""More never fits, and measuring takes time."""
_FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif"


def digest(card: ItemCard) -> str:
    """Return 12 hexadecimal digits that change when the drawing of `card` does."""
    text = "\x1f".join((str(_DRAWING), card.item_id, card.title, card.category, str(card.year)))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def draw_poster(card: ItemCard) -> str:
    """Return a 2:3 SVG document: motif above, title in up to five lines, year and category below."""
    palette, motif = _palette_and_motif(card, WIDTH, HEIGHT)
    lines, size = fit_title(_printable(card.title)[:_CHARACTERS_AT_MOST])
    right_to_left = _is_right_to_left(card.title)
    x, direction = (WIDTH - _MARGIN, ' direction="rtl"') if right_to_left else (_MARGIN, "")
    bar = x - 44 if right_to_left else x
    leading = size * 1.12
    top = HEIGHT - 78 - leading * (len(lines) - 1)
    title = "".join(
        f'<tspan x="{x}" y="{top + leading * n:.0f}">{escape(line)}</tspan>' for n, line in enumerate(lines)
    )
    footer = " · ".join(part for part in (str(card.year or ""), _printable(card.category)[:28]) if part)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        f"<title>{escape(_printable(card.title))}</title>"
        f'<defs><linearGradient id="f" x2="0" y2="1"><stop offset=".3" stop-color="{palette.deep}" stop-opacity="0"/>'
        f'<stop offset=".72" stop-color="{palette.deep}" stop-opacity=".94"/>'
        f'<stop offset="1" stop-color="{palette.deep}"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{palette.deep}"/>'
        f"{motif}"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#f)"/>'
        f'<g font-family="{_FONT}" fill="{palette.ink}"{direction}>'
        f'<rect x="{bar}" y="{top - size - 22:.0f}" width="44" height="5" fill="{palette.glow}"/>'
        f'<text font-size="{size}" font-weight="700" letter-spacing="-.6">{title}</text>'
        f'<text x="{x}" y="{HEIGHT - 34}" font-size="18" opacity=".86">{escape(footer)}</text></g></svg>'
    )


def draw_backdrop(card: ItemCard) -> str:
    """Return a wide SVG document with the same colours and motif and no text."""
    # Taller than the box: most motifs leave their lower third to a title, which a backdrop does not have.
    palette, motif = _palette_and_motif(card, BACKDROP_WIDTH * 0.72, BACKDROP_HEIGHT * 1.35)
    deep = palette.deep
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {BACKDROP_WIDTH} {BACKDROP_HEIGHT}" '
        f'width="{BACKDROP_WIDTH}" height="{BACKDROP_HEIGHT}" preserveAspectRatio="xMaxYMid slice">'
        f'<defs><linearGradient id="f"><stop offset=".36" stop-color="{deep}"/>'
        f'<stop offset=".62" stop-color="{deep}" stop-opacity=".6"/>'
        f'<stop offset=".95" stop-color="{deep}" stop-opacity="0"/></linearGradient></defs>'
        f'<rect width="100%" height="100%" fill="{deep}"/>'
        f'<g transform="translate({BACKDROP_WIDTH * 0.28:.0f} 0)">{motif}</g>'
        f'<rect width="100%" height="100%" fill="url(#f)"/></svg>'
    )


def fit_title(title: str) -> tuple[list[str], int]:
    """Return the lines of `title` (at most five, the last with an ellipsis when it does not fit) and a font size."""
    for size in (52, 46, 40, 34, 30):
        lines = _wrap(title, (WIDTH - 2 * _MARGIN) / size)
        if len(lines) <= (3 if size > 34 else _LINES_AT_MOST) and all(
            _width(line) * size <= WIDTH - 2 * _MARGIN for line in lines
        ):
            return lines, size
    kept = _wrap(title, (WIDTH - 2 * _MARGIN) / size, break_words=True)
    if len(kept) > _LINES_AT_MOST:
        kept = [*kept[: _LINES_AT_MOST - 1], kept[_LINES_AT_MOST - 1].rstrip()[:-1].rstrip() + "…"]
    return kept, size


def _wrap(title: str, ems: float, *, break_words: bool = False) -> list[str]:
    lines: list[str] = []
    line = ""
    for word in title.split():
        candidate = f"{line} {word}".strip()
        if _width(candidate) <= ems:
            line = candidate
            continue
        if line:
            lines.append(line)
        line = word
        if break_words:
            *full, line = _pieces(line, ems)
            lines += full
    return [*lines, line] if line or not lines else lines


def _pieces(word: str, ems: float) -> list[str]:
    pieces, width = [""], 0.0
    for character in word:
        width += _character_width(character)
        if width > ems and pieces[-1]:
            pieces.append("")
            width = _character_width(character)
        pieces[-1] += character
    return pieces


def _width(text: str) -> float:
    """Return an estimate of the width in ems; generous, since the font is the browser's."""
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0x1F000:
        return 1.05
    if character in " ilI.,:;'!|":
        return 0.3
    if character in "mwMW@%":
        return 0.92
    return 0.7 if character.isupper() or character.isdigit() else 0.58


def _palette_and_motif(card: ItemCard, width: float, height: float) -> tuple[Palette, str]:
    """Return the item's palette and its motif drawn in a box: the same choice for poster and backdrop."""
    draw = Random(hashlib.sha256(card.item_id.encode("utf-8", "replace")).digest())
    style = style_of(card.category)
    palette = draw.choice(style.palettes)
    return palette, MOTIFS[draw.choice(style.motifs)](draw, palette, width, height)


def _printable(text: str) -> str:
    """Return `text` without the characters that no XML document may hold (controls, surrogates, non-characters)."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in text
        if not 0xD800 <= ord(character) <= 0xDFFF and (ord(character) & 0xFFFE) != 0xFFFE
    )


def _is_right_to_left(text: str) -> bool:
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False
