"""MovieLens titles and genres, as a person would write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ARTICLES = frozenset(
    "the a an les la le l' un une der das die den dem ein eine il lo i gli el los las os as o det en ett de het".split()
)
"""Articles that MovieLens moves behind the title, in the languages of its films."""

MAIN_GENRES = (
    "Animation",
    "Documentary",
    "Western",
    "Film Noir",
    "Science Fiction",
    "Horror",
    "Musical",
    "Fantasy",
    "War",
    "Children",
    "Adventure",
    "Action",
    "Crime",
    "Mystery",
    "Romance",
    "Thriller",
    "Comedy",
    "Drama",
)
"""The first of these that a film has is its category: from what sets a film apart most to what nearly every film is."""

_GENRE_NAMES = {"Sci-Fi": "Science Fiction", "Children's": "Children", "Film-Noir": "Film Noir"}
_YEAR = re.compile(r"\s*\((\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)$")
_ALTERNATIVE = re.compile(r"\s+\(([^()]+)\)$")
_MOVED_ARTICLE = re.compile(r"(.+), ([^\W\d_]+'?)")
_ALSO_KNOWN_AS = re.compile(r"a\.?k\.?a\.? ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FilmTitle:
    """A title without year and alternatives; `year` is of the first release, None when unknown."""

    title: str
    year: int | None = None
    alternatives: tuple[str, ...] = ()


def film_title(text: str) -> FilmTitle:
    """Take "City of Lost Children, The (Cité des enfants perdus, La) (1995)" apart.

    The article goes back to the front, trailing parentheses become alternatives, unless they complete a sentence
    ("Birdman: Or (The Unexpected Virtue of Ignorance)").
    """
    rest = text.strip()
    year: int | None = None
    if match := _YEAR.search(rest):
        year, rest = int(match[1]) or None, rest[: match.start()].rstrip()
    alternatives: list[str] = []
    while (match := _ALTERNATIVE.search(rest)) and not rest[: match.start()].lower().endswith((" or", ":")):
        rest = rest[: match.start()].rstrip()
        alternatives.insert(0, _article_first(_ALSO_KNOWN_AS.sub("", match[1], count=1).strip()))
    return FilmTitle(_article_first(rest), year, tuple(alternatives))


def _article_first(title: str) -> str:
    match = _MOVED_ARTICLE.fullmatch(title)
    if not match or match[2].lower() not in ARTICLES:
        return title
    joint = "" if match[2].endswith("'") else " "
    return f"{match[2]}{joint}{match[1]}"


def genre_names(text: str) -> list[str]:
    """Split "Action|Sci-Fi" into names for people; "(no genres listed)" is the empty list."""
    names = (name.strip() for name in text.split("|"))
    return [_GENRE_NAMES.get(name, name) for name in names if name and not name.startswith("(")]


def main_genre(genres: Sequence[str]) -> str:
    """Return the genre that says most about the film (see `MAIN_GENRES`); "" when it has none of them."""
    return next((genre for genre in MAIN_GENRES if genre in genres), "")
