"""Films of a MovieLens data set, in both layouts: CSV with headers (since 2014) and `::`-separated `.dat` (before)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from catalog.datasets.files import Dataset, DatasetFile
from catalog.datasets.film_titles import film_title, genre_names, main_genre
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import Problem, Problems, shown
from catalog.datasets.table import Table
from catalog.records import InvalidItem, ItemRecord, item_record

MAX_USER_TAGS = 20
"""Tags an item takes from users: beyond the most frequent twenty they repeat each other."""
_BLANKS = re.compile(r"\s+")
_COLUMNS = {"item_id": "movieId", "title": "title", "published_at": "title"}
_SAME_TAG = {"sci-fi": "science fiction", "scifi": "science fiction", "film-noir": "film noir"}

Rows = Iterable[tuple[int, list[str]]]


def read_items(dataset: Dataset, problems: Problems) -> Iterator[tuple[str, int, ItemRecord]]:
    """Yield (file, row, record) of every film; broken rows go to `problems`.

    The year becomes `published_at` on 1 January UTC, with the attribute `published_precision` = "year". Tags are the
    genres and what users tagged, lower-case: a user tag counts when two users have it, or when it was given to the same
    film twice. Ids at other sites and alternative titles become attributes.
    """
    file = dataset.files.get("movies.csv") or dataset.files.get("movies.dat")
    if file is None:
        return
    tags, links = _user_tags(dataset, problems), _links(dataset, problems)
    _, rows = rows_of(file, problems, ("movieId", "title", "genres"))
    for row, (movie_id, full_title, genre_text) in rows:
        title, genres = film_title(full_title), genre_names(genre_text)
        attributes: dict[str, Any] = dict(links.get(movie_id, {}))
        if title.alternatives:
            attributes["alternative_titles"] = list(title.alternatives)
        if title.year:
            attributes["published_precision"] = "year"
        fields = {
            "item_id": movie_id,
            "title": title.title,
            "category": main_genre(genres),
            "tags": list(dict.fromkeys([*(genre.lower() for genre in genres), *tags.get(movie_id, ())])),
            "published_at": f"{title.year:04}-01-01" if title.year else None,
            "attributes": attributes,
        }
        try:
            yield file.name, row, item_record(fields)
        except InvalidItem as error:
            problems.add_item(file.name, row, error, column=_COLUMNS.get(error.field, "genres"))


def rows_of(file: DatasetFile, problems: Problems, columns: Sequence[str]) -> tuple[TextLines, Rows]:
    """Read a `.csv` with this header in any order, or a `.dat` without one.

    Returns the lines (for how far the reading is) and the rows as (row, cells), the cells in the order of `columns`.
    """
    if file.name.lower().endswith(".dat"):
        lines = TextLines(file, problems, fallback="latin-1")
        return lines, _separated_rows(lines, problems, len(columns))
    table = Table(file, problems, required=columns)
    if not table.columns or table.columns == list(columns):
        return table.lines, table
    order = [table.columns.index(name) for name in columns]
    return table.lines, ((row, [cells[place] for place in order]) for row, cells in table)


def _separated_rows(lines: TextLines, problems: Problems, width: int) -> Iterator[tuple[int, list[str]]]:
    for line in lines:
        cells = line.rstrip("\r\n").split("::")
        if len(cells) == width:
            yield lines.row, cells
        elif line.strip():
            message = f"{len(cells)} columns, expected {width} separated by ::"
            problems.add(
                Problem(
                    file=lines.file.name, row=lines.row, code="row_invalid", message=message, value=shown(line.strip())
                )
            )


def _links(dataset: Dataset, problems: Problems) -> dict[str, dict[str, str]]:
    file = dataset.files.get("links.csv")
    if file is None:
        return {}
    found: dict[str, dict[str, str]] = {}
    _, rows = rows_of(file, problems, ("movieId", "imdbId", "tmdbId"))
    for _, (movie_id, imdb, tmdb) in rows:
        ids = {"imdb_id": f"tt{imdb}" if imdb else "", "tmdb_id": tmdb}
        found[movie_id] = {name: text for name, text in ids.items() if text}
    return found


def _user_tags(dataset: Dataset, problems: Problems) -> dict[str, list[str]]:
    file = dataset.files.get("tags.csv") or dataset.files.get("tags.dat")
    if file is None:
        return {}
    given: dict[str, Counter[str]] = defaultdict(Counter)
    first_user: dict[str, str] = {}
    shared: set[str] = set()
    _, rows = rows_of(file, problems, ("userId", "movieId", "tag", "timestamp"))
    for _, (user_id, movie_id, text, _) in rows:
        tag = clean_tag(text)
        if tag:
            given[movie_id][tag] += 1
            if first_user.setdefault(tag, user_id) != user_id:
                shared.add(tag)
    return {
        movie_id: [
            tag
            for tag, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            if tag in shared or count >= 2
        ][:MAX_USER_TAGS]
        for movie_id, counts in given.items()
    }


def clean_tag(text: str) -> str:
    """Return a user's tag in lower case without outer quotes and doubled blanks; "" when it is no usable tag."""
    tag = _BLANKS.sub(" ", text).strip(" \"'.,;").lower()
    if not 2 <= len(tag) <= 50 or not tag.isprintable() or tag.isdigit():
        return ""
    return _SAME_TAG.get(tag, tag)
