"""What visitors find by words and facets, and how much of the catalogue that reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog import faceted_search
from catalog.faceted_search import FacetValue, Found, Wanted
from catalog.models import Item, ItemText

FILMS: list[dict[str, Any]] = [
    {"item_id": "inception", "title": "Inception", "category": "Science fiction", "popularity": 5.0,
     "tags": ["heist", "dreams"], "language": "en", "countries": ["US", "GB"], "published_at": "2010-07-16",
     "creators": ["Christopher Nolan"], "description": "A thief steals secrets from dreams."},
    {"item_id": "heat", "title": "Heat", "category": "Crime", "popularity": 9.0, "tags": ["heist"], "language": "en",
     "countries": ["US"], "published_at": "1995-12-15", "creators": ["Michael Mann"]},
    {"item_id": "body-heat", "title": "Body Heat", "category": "Crime", "popularity": 1.0, "published_at": "1981-08-28",
     "language": "en", "countries": ["US"]},
    {"item_id": "amelie", "title": "Amélie", "category": "Romance", "popularity": 3.0, "language": "fr",
     "countries": ["FR"], "published_at": "2001-04-25", "description": "A shy waitress mends other people's lives."},
    {"item_id": "it", "title": "It", "category": "Horror", "popularity": 2.0},
    {"item_id": "hidden", "title": "Heat hidden", "category": "Crime", "is_active": False, "popularity": 99.0},
]  # fmt: skip


@pytest.fixture
def films(db: None) -> None:
    for film in FILMS:
        day = film.get("published_at")
        Item.objects.create(
            **{**film, "published_at": datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None}
        )


def ids(found: Found) -> list[str]:
    return [card.item_id for card in found.cards]


def found(**wanted: Any) -> list[str]:
    return ids(faceted_search.find(Wanted(**wanted)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heat", ["heat", "body-heat"]),
        ("HEAT", ["heat", "body-heat"]),
        ("body heat", ["body-heat", "heat"]),
        ("incep", ["inception"]),
        ("incpetion", ["inception"]),
        ("nolan", ["inception"]),
        ("dream", ["inception"]),
        ("mending lives", ["amelie"]),
        ("heist", ["heat", "inception"]),
        ("it", ["it"]),
        ("zzz", []),
        ("%_?!", []),
        ("\0", ["heat", "inception", "amelie", "it", "body-heat"]),
        ("'; DROP TABLE catalog_item; --", []),
        ('"unclosed', []),
    ],
)
@pytest.mark.usefixtures("films")
def test_words_are_found_in_all_texts_and_typing_errors_forgiven(text: str, expected: list[str]) -> None:
    assert found(text=text)[: len(expected)] == expected
    assert bool(found(text=text)) == bool(expected)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["heat", "inception", "amelie", "it", "body-heat"]),
        ({"category": "Crime"}, ["heat", "body-heat"]),
        ({"decade": 1990}, ["heat"]),
        ({"language": "fr"}, ["amelie"]),
        ({"country": "GB"}, ["inception"]),
        ({"tag": "heist"}, ["heat", "inception"]),
        ({"tag": "heist", "country": "GB"}, ["inception"]),
        ({"text": "heat", "decade": 1980}, ["body-heat"]),
        ({"category": "Western"}, []),
        ({"sort": "newest"}, ["inception", "amelie", "heat", "body-heat"]),
        ({"sort": "title"}, ["amelie", "body-heat", "heat", "inception", "it"]),
        ({"text": "heat", "sort": "title"}, ["body-heat", "heat"]),
        ({"text": "heat", "sort": "newest"}, ["heat", "body-heat"]),
    ],
)
@pytest.mark.usefixtures("films")
def test_facets_narrow_and_sorts_order(wanted: dict[str, Any], expected: list[str]) -> None:
    assert found(**wanted) == expected


@pytest.mark.usefixtures("films")
def test_facets_count_what_was_found() -> None:
    facets = faceted_search.find(Wanted(tag="heist")).facets
    assert facets == {
        "category": [FacetValue("Crime", 1), FacetValue("Science fiction", 1)],
        "decade": [FacetValue("2010", 1), FacetValue("1990", 1)],
        "language": [FacetValue("en", 2)],
        "country": [FacetValue("US", 2), FacetValue("GB", 1)],
        "tag": [FacetValue("heist", 2), FacetValue("dreams", 1)],
    }


@pytest.mark.usefixtures("films")
def test_pages_follow_each_other() -> None:
    pages = [faceted_search.find(Wanted(), limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [ids(page) for page in pages] == [["heat", "inception"], ["amelie", "it"], ["body-heat"], []]
    assert {(page.total, page.is_capped) for page in pages} == {(5, False)}


@pytest.mark.usefixtures("films")
def test_where_there_is_too_much_only_the_most_popular_are_told_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faceted_search, "MATCHES", 2)
    found = faceted_search.find(Wanted())
    assert (ids(found), found.total, found.is_capped) == (["heat", "inception"], 2, True)
    assert found.facets["category"] == [FacetValue("Crime", 1), FacetValue("Science fiction", 1)]


@pytest.mark.usefixtures("films")
def test_what_is_rare_is_found_beyond_the_popular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faceted_search, "POPULAR", 1)
    assert found(country="FR") == ["amelie"]
    assert found(text="body") == ["body-heat"]


def test_texts_follow_their_items(films: None) -> None:
    Item.objects.filter(item_id="heat").update(title="Warmth", popularity=7)
    Item.objects.bulk_create([Item(item_id="one", title="Zebra one"), Item(item_id="two", title="Zebra two")])
    assert found(text="warmth") == ["heat"]
    assert sorted(found(text="zebra")) == ["one", "two"]
    Item.objects.all().delete()
    assert ItemText.objects.count() == 0


def test_popularity_leaves_texts_alone(films: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT item_id, xmin FROM catalog_itemtext ORDER BY 1")
        before = cursor.fetchall()
        Item.objects.update(popularity=3)
        cursor.execute("SELECT item_id, xmin FROM catalog_itemtext ORDER BY 1")
        assert cursor.fetchall() == before


def test_what_is_not_available_now_is_not_found(films: None) -> None:
    now = timezone.now()
    Item.objects.filter(item_id="heat").update(available_from=now + timedelta(days=1))
    Item.objects.filter(item_id="body-heat").update(available_until=now - timedelta(days=1))
    assert found(category="Crime") == found(text="heat") == []


@pytest.mark.parametrize("wanted", [{}, {"country": "FR"}, {"language": "fr"}, {"tag": "heist"}, {"text": "nolan"}])
def test_nothing_reads_the_whole_catalogue(db: None, wanted: dict[str, Any]) -> None:
    """Each statement, planned for a large table, takes an index or stops at a bound."""
    words = " ".join(f"word{number}" for number in range(20))
    Item.objects.bulk_create(
        Item(item_id=f"i{number}", title=f"{words} {number}", popularity=number, category=f"c{number % 7}")
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE catalog_item, catalog_itemtext")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        faceted_search.find(Wanted(**wanted))
    selects = [query["sql"] for query in captured.captured_queries if re.search(r"\bSELECT\b", query["sql"])]
    assert selects
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in selects:
            cursor.execute("EXPLAIN " + sql)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, plan


@pytest.mark.usefixtures("films")
def test_the_number_of_queries_does_not_grow_with_what_is_found() -> None:
    with CaptureQueriesContext(connection) as few:
        faceted_search.find(Wanted(tag="dreams"))
    with CaptureQueriesContext(connection) as many:
        faceted_search.find(Wanted(tag="heist"))
    assert len(few) == len(many)
