from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.faceted_search import Wanted
from catalog.models import Item
from recsite.site import browsing

pytestmark = pytest.mark.usefixtures("films")


def names(html: str) -> list[str]:
    return re.findall(r'recs-name" dir="auto">([^<]+)<', html)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, Wanted()),
        ({"q": " heat ", "decade": "1990", "country": "us"}, Wanted(text="heat", decade=1990, country="US")),
        ({"sort": "newest", "tag": "heist"}, Wanted(sort="newest", tag="heist")),
        ({"decade": "1995", "sort": "worst", "q": "\0"}, Wanted()),
        ({"decade": "9990"}, Wanted()),
        ({"decade": "١٩٩٠", "category": "x" * 300}, Wanted(category="x" * 100)),
    ],
)
def test_what_the_address_asks_for(query: dict[str, str], wanted: Wanted) -> None:
    assert browsing.wanted_of(query) == wanted


def test_an_address_says_what_is_wanted_and_nothing_else() -> None:
    wanted = Wanted(text="a&b", category="Odd/One?", decade=1990)
    assert browsing.address(wanted) == "/browse/?q=a%26b&category=Odd%2FOne%3F&decade=1990"
    assert browsing.address(wanted, {"category": "", "q": ""}, page=3) == "/browse/?decade=1990&page=3"
    assert browsing.address(Wanted()) == "/browse/"


@pytest.mark.parametrize(
    ("name", "value", "label"),
    [("decade", "1990", "1990s"), ("country", "US", "United States"), ("language", "fr", "French"),
     ("language", "tlh", "tlh"), ("tag", "heist", "heist")],
)  # fmt: skip
def test_values_are_called_what_people_call_them(name: str, value: str, label: str) -> None:
    assert browsing.label_of(name, value) == label


def test_facets_are_links_with_counts_and_a_way_back(client: Client) -> None:
    html = client.get("/browse/").content.decode()
    assert 'href="/browse/?category=Science+Fiction"' in html
    html = client.get("/browse/?category=Science+Fiction").content.decode()
    assert sorted(names(html)) == ["Inception", "The Matrix"]
    assert '<a class="chip" aria-current="true" href="/browse/">' in html
    assert 'href="/browse/?category=Science+Fiction&amp;decade=1990"' in html


def test_words_and_facets_go_together(client: Client) -> None:
    assert names(client.get("/search/?q=alien&decade=1970").content.decode()) == ["Alien"]
    html = client.get("/search/?q=alien&decade=1990").content.decode()
    assert names(html) == []
    assert "with these filters" in html


def test_the_number_of_queries_does_not_grow_with_the_catalogue(client: Client) -> None:
    def queries(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        assert not [query for query in captured.captured_queries if "COUNT(*)" in query["sql"]]
        return len(captured)

    def add(numbers: range) -> None:
        Item.objects.bulk_create(
            Item(item_id=f"f{number}", title=f"Film {number}", category=f"c{number % 9}", tags=["x"])
            for number in numbers
        )

    addresses = ("/browse/", "/browse/?tag=x", "/search/?q=film", "/", "/welcome/", "/profile/")
    add(range(20))
    before = {address: queries(address) for address in addresses}
    add(range(20, 140))
    assert {address: queries(address) for address in addresses} == before
