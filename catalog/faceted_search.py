"""What visitors browse and search by: words, and facets with counts. Bounded however large the catalogue is.

A search looks at MATCHES items at most, and says so: pages, sorting and the counts of facets are of those.

1. A common filter is found among the POPULAR items (or the newest ones), read in the order of an index.
2. What is rare among them is rare enough for its own index, within MOST_MILLISECONDS.
3. Words are looked for in titles of the popular items, in all texts (`ItemText`), and, where little is found, among
   titles that resemble them (trigrams): typing errors and beginnings of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import OperationalError, transaction
from django.utils import timezone

from catalog import queries
from catalog.item_card import ItemCard
from catalog.item_search import escaped
from catalog.postgres import reading
from catalog.queries import LEAST_WORD_SIMILARITY

MATCHES = 2_000
POPULAR = 20_000
"""Items read in the order of popularity or of publication, in about 20 ms."""
WITH_WORD = 10_000
"""Texts with the words that are looked at."""
FEW = 12
"""With fewer found by words, titles that resemble them are looked for."""
MOST_MILLISECONDS = 800
LONGEST_TEXT = 200
VALUES = {"category": 40, "decade": 20, "language": 15, "country": 15, "tag": 25}
"""Values of each facet that are told, those of most items."""
RELEVANCE, MOST_POPULAR, NEWEST, TITLE = "relevance", "popular", "newest", "title"
SORTS = (RELEVANCE, MOST_POPULAR, NEWEST, TITLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for; "" and None ask for nothing."""

    text: str = ""
    category: str = ""
    decade: int | None = None
    """Its first year."""
    language: str = ""
    country: str = ""
    tag: str = ""
    sort: str = ""
    """One of SORTS; "" is by relevance where there are words, else by popularity."""

    @property
    def is_narrowed(self) -> bool:
        """Whether a facet is chosen."""
        return bool(self.category or self.decade is not None or self.language or self.country or self.tag)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet, and how many of the matches have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of what was found."""

    cards: list[ItemCard]
    total: int
    is_capped: bool
    """True: there may be more than the `total` that were looked at."""
    facets: dict[str, list[FacetValue]]
    """By the names of VALUES, those of most items first; decades newest first."""


class _Match(NamedTuple):
    pk: int
    popularity: float
    published_at: datetime | None
    title: str
    tier: int
    """0: its text has the words; 1: its title has parts of them; 2: its title resembles them."""
    rank: float


_SHOWABLE = """
    item.is_active AND (item.available_from IS NULL OR item.available_from <= %(now)s)
    AND (item.available_until IS NULL OR item.available_until > %(now)s)
"""
_COLUMNS = "item.id, item.popularity, item.published_at, item.title"
_CONDITIONS = {
    "category": "item.category = %(category)s",
    "decade": "item.published_at >= %(decade_from)s AND item.published_at < %(decade_until)s",
    "language": "item.language = %(language)s",
    "country": "item.countries @> ARRAY[%(country)s]::varchar(2)[]",
    "tag": "item.tags @> ARRAY[%(tag)s]::varchar(100)[]",
}
_POPULAR = """
    SELECT {columns}, 1, 0 FROM (SELECT * FROM catalog_item {begins} ORDER BY {order} DESC LIMIT {window}) item
    WHERE {conditions} ORDER BY {order} DESC, id LIMIT {most}
"""
_RARE = "SELECT {columns}, 1, 0 FROM catalog_item item WHERE {conditions} LIMIT {most}"
_QUERY = "(websearch_to_tsquery('simple', %(text)s) || websearch_to_tsquery('english', %(text)s))"
_WITH_WORDS = f"""
    SELECT {{columns}}, 0, ts_rank(found.document, {_QUERY}) FROM (
        SELECT item_id, document FROM catalog_itemtext WHERE document @@ {_QUERY} LIMIT {WITH_WORD}
    ) found JOIN catalog_item item ON item.id = found.item_id
    WHERE {{conditions}} ORDER BY 6 DESC, item.popularity DESC LIMIT {{most}}
"""  # noqa: S608 -- constants of this file, as in what follows
_RESEMBLING = """
    WITH found AS MATERIALIZED (
        SELECT * FROM catalog_item item WHERE title %%> %(text)s AND {conditions} LIMIT {most}
    )
    SELECT {columns}, 2, word_similarity(%(text)s, title) + similarity(%(text)s, title) FROM found item
"""
_FACETS = """
    WITH found AS MATERIALIZED (
        SELECT category, published_at, language, countries, tags FROM catalog_item WHERE id = ANY(%s)
    )
    SELECT 'category', category, count(*) FROM found WHERE category <> '' GROUP BY 2
    UNION ALL
    SELECT 'decade', (extract(year FROM published_at AT TIME ZONE 'UTC')::int / 10 * 10)::text, count(*)
    FROM found WHERE published_at IS NOT NULL GROUP BY 2
    UNION ALL
    SELECT 'language', language, count(*) FROM found WHERE language <> '' GROUP BY 2
    UNION ALL
    SELECT 'country', country, count(*) FROM found, unnest(countries) country GROUP BY 2
    UNION ALL
    SELECT 'tag', tag, count(*) FROM found, unnest(tags) tag GROUP BY 2
"""


def find(wanted: Wanted, *, limit: int = 48, offset: int = 0) -> Found:
    """Return a page of the items that may be shown now and are what somebody wants."""
    wanted = replace(wanted, text=" ".join(wanted.text.replace("\0", "").split())[:LONGEST_TEXT])
    matches = _sorted(_matches(wanted), wanted)[:MATCHES]
    return Found(
        cards=queries.cards_of([match.pk for match in matches[offset : offset + limit]]),
        total=len(matches),
        is_capped=len(matches) == MATCHES,
        facets=_facets([match.pk for match in matches]),
    )


def _matches(wanted: Wanted) -> list[_Match]:
    if wanted.text and not any(character.isalnum() for character in wanted.text):
        return []
    conditions, values = _asked(wanted)
    with reading.in_transaction() as cursor:
        found = _common(cursor, wanted, conditions, values)
        if not wanted.text:
            if len(found) < MATCHES and wanted.is_narrowed:
                found = _distinct([*found, *_in_time(cursor, _filled(_RARE, conditions), values)])
            return found
        found = _distinct([*_in_time(cursor, _filled(_WITH_WORDS, conditions), values), *found])
        if len(found) < FEW:
            cursor.execute(f"SET LOCAL pg_trgm.word_similarity_threshold = {LEAST_WORD_SIMILARITY}")
            found = _distinct([*found, *_in_time(cursor, _filled(_RESEMBLING, conditions), values)])
    return found


def _asked(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions on an item, and the values in them."""
    values: dict[str, Any] = {"now": timezone.now(), "text": wanted.text}
    conditions = [_SHOWABLE]
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value in ("", None):
            continue
        conditions.append(condition)
        values[name] = value
    if wanted.decade is not None:
        values["decade_from"] = datetime(wanted.decade, 1, 1, tzinfo=UTC)
        values["decade_until"] = datetime(wanted.decade + 10, 1, 1, tzinfo=UTC)
    return conditions, values


def _common(cursor: Any, wanted: Wanted, conditions: list[str], values: dict[str, Any]) -> list[_Match]:
    """Return what is found among the most popular items, or the newest."""
    by_date = wanted.sort == NEWEST and not wanted.text
    words = [f"%{escaped(word)}%" for word in wanted.text.split()]
    narrowed = [*conditions, "item.title ILIKE ALL(%(words)s)"] if words else conditions
    query = _filled(
        _POPULAR,
        narrowed,
        order="published_at" if by_date else "popularity",
        begins="WHERE published_at <= %(now)s" if by_date else "",
        window=POPULAR if wanted.is_narrowed or words else 2 * MATCHES,
    )
    cursor.execute(query, {**values, "words": words})
    return [_Match(*row) for row in cursor.fetchall()]


def _in_time(cursor: Any, query: str, values: dict[str, Any]) -> list[_Match]:
    """Return what an index finds in time, nothing when it takes too long. The caller holds a transaction."""
    try:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(f"SET LOCAL statement_timeout = {MOST_MILLISECONDS}")
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(query, values)
            found = [_Match(*row) for row in cursor.fetchall()]
            cursor.execute("SET LOCAL enable_seqscan = on")
            return found
    except OperationalError:
        return []


def _filled(query: str, conditions: Iterable[str], **parts: object) -> str:
    return query.format(columns=_COLUMNS, conditions=" AND ".join(conditions), most=MATCHES, **parts)


def _distinct(matches: Iterable[_Match]) -> list[_Match]:
    """Return each item once, as it was found first."""
    found: dict[int, _Match] = {}
    for match in matches:
        found.setdefault(match.pk, match)
    return list(found.values())


def _sorted(matches: Sequence[_Match], wanted: Wanted) -> list[_Match]:
    by_popularity = sorted(matches, key=lambda match: (-match.popularity, match.pk))
    match wanted.sort or (RELEVANCE if wanted.text else MOST_POPULAR):
        case "newest":
            return sorted(
                by_popularity, key=lambda match: -match.published_at.timestamp() if match.published_at else 1e18
            )
        case "title":
            return sorted(by_popularity, key=lambda match: match.title.casefold())
        case "relevance" if wanted.text:
            return sorted(by_popularity, key=lambda match: (match.tier, -round(match.rank, 4)))
        case _:
            return by_popularity


def _facets(pks: list[int]) -> dict[str, list[FacetValue]]:
    facets: dict[str, list[FacetValue]] = {name: [] for name in VALUES}
    if not pks:
        return facets
    with reading.connection().cursor() as cursor:
        cursor.execute(_FACETS, [pks])
        for name, value, count in cursor.fetchall():
            facets[name].append(FacetValue(value, count))
    for name, values in facets.items():
        values.sort(key=lambda value: (-value.count, value.value))
        del values[VALUES[name] :]
    facets["decade"].sort(key=lambda value: -int(value.value))
    return facets
