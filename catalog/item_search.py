"""Finding an item to pick it: by its id, by how its title begins, by words of it. Quick with ten million items.

Each question asks an index and has a bound, whatever is typed: a common word is found among the popular items at once,
one that is rare among them is rare enough for the index of trigrams, and typing errors are looked for only when nothing
else was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, transaction

from catalog.postgres import reading
from catalog.queries import LEAST_WORD_SIMILARITY

MOST = 30
"""Items found: who does not see his one types on."""
POPULAR = 20_000
"""Items looked through for words, in about 20 ms."""
MOST_RANKED = 2_000
"""Items that trigrams may find; the most popular of them are taken."""
MOST_MILLISECONDS = 800
"""That trigrams may take; they read the lists of all three-letter groups, which grow with the catalogue."""
LONGEST_TEXT = 200
SHORTEST_WORD = 3
"""Letters of the shortest word that has a trigram of its own."""

_COLUMNS = "id, item_id, title, category, published_at, image_url, is_active"
_BY_ID = f"SELECT {_COLUMNS} FROM catalog_item WHERE item_id LIKE %(start)s ORDER BY item_id USING ~<~ LIMIT {MOST}"  # noqa: S608
_BY_START = f"""
    SELECT {_COLUMNS} FROM catalog_item WHERE upper(title) LIKE upper(%(start)s)
    ORDER BY upper(title) USING ~<~ LIMIT {MOST}
"""  # noqa: S608 -- constants of this file, as in what follows
_POPULAR = f"""
    SELECT {_COLUMNS} FROM (SELECT * FROM catalog_item ORDER BY popularity DESC LIMIT {POPULAR}) popular
    WHERE title ILIKE ALL(%(words)s) LIMIT {MOST}
"""  # noqa: S608
_RARE = f"""
    WITH found AS MATERIALIZED (
        SELECT {_COLUMNS}, popularity FROM catalog_item WHERE {{condition}} LIMIT {MOST_RANKED}
    )
    SELECT {_COLUMNS} FROM found ORDER BY {{order}} popularity DESC, id LIMIT {MOST}
"""  # noqa: S608
_PICKED = f"SELECT {_COLUMNS} FROM catalog_item WHERE id = ANY(%s)"  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundItem:
    """What an editor tells an item by."""

    pk: int
    title: str
    image_url: str
    """Empty: it has no picture."""
    note: str
    """Category, year and id; whether it is hidden."""


def find(text: str) -> list[FoundItem]:
    """Return at most MOST items, the likeliest first; the most popular ones for an empty text."""
    text = " ".join(text.replace("\0", "").split())[:LONGEST_TEXT]
    start = f"{escaped(text)}%"
    words = [f"%{escaped(word)}%" for word in text.split()]
    with reading.in_transaction() as cursor:
        if not text:
            return _rows(cursor, _POPULAR, {"words": []})
        by_id = _rows(cursor, _BY_ID, {"start": start})
        by_start = _rows(cursor, _BY_START, {"start": start})
        by_word = _rows(cursor, _POPULAR, {"words": words})
        if len(by_word) < MOST and max(map(len, text.split())) >= SHORTEST_WORD:
            by_word += _rare(cursor, "title ILIKE ALL(%(words)s)", "", {"words": words})
    exact = [one for one in by_start if one.title.casefold() == text.casefold()]
    found = {one.pk: one for one in (*by_id[:1], *exact, *by_id[1:], *by_word, *by_start)}
    return list(found.values())[:MOST] or _resembling(text)


def by_pk(pks: Iterable[int]) -> dict[int, FoundItem]:
    """Return the items of these keys that exist, in one query."""
    with reading.connection().cursor() as cursor:
        return {one.pk: one for one in _rows(cursor, _PICKED, [list(pks)])}


def _resembling(text: str) -> list[FoundItem]:
    """Return what is left of a text with typing errors, likest first."""
    if not any(character.isalnum() for character in text):
        return []
    with reading.in_transaction() as cursor:
        cursor.execute(f"SET LOCAL pg_trgm.word_similarity_threshold = {LEAST_WORD_SIMILARITY}")
        return _rare(cursor, "title %%> %(text)s", "word_similarity(%(text)s, title) DESC,", {"text": text})


def _rare(cursor: Any, condition: str, order: str, values: Any) -> list[FoundItem]:
    """Return what trigrams find in time, nothing when they take too long. The caller holds a transaction."""
    try:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(f"SET LOCAL statement_timeout = {MOST_MILLISECONDS}")
            cursor.execute("SET LOCAL enable_seqscan = off")
            return _rows(cursor, _RARE.format(condition=condition, order=order), values)
    except OperationalError:
        return []


def _rows(cursor: Any, query: str, values: Any) -> list[FoundItem]:
    cursor.execute(query, values)
    return [
        FoundItem(
            pk=pk,
            title=title,
            image_url=image_url,
            note=" · ".join(
                filter(
                    None,
                    (category, str(published_at.year) if published_at else "", item_id, "" if active else "hidden"),
                )
            ),
        )
        for pk, item_id, title, category, published_at, image_url, active in cursor.fetchall()
    ]


def escaped(text: str) -> str:
    """Return `text` with what LIKE would take for a pattern made plain."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
