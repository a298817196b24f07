"""Rows that come late: what travels to the browser and back, and what is answered."""

from __future__ import annotations

import re

import pytest
from django.http import HttpRequest
from django.template import RequestContext, Template
from django.test import Client, RequestFactory

from recommender import rows, serving
from recommender.carousel import Shown
from recommender.models import Placement
from recommender.rows import BadRow, Row
from tests.recommender.film_site import POPULAR, FilmSite

LATE, PAGE = "/recommender/late", "/recommender/row"


def item_ids(html: str) -> list[str]:
    return re.findall(r'data-item-id="([^"]*)"', html)


def rendered(source: str, *, cookies: dict[str, str]) -> str:
    request: HttpRequest = RequestFactory().get("/")
    request.COOKIES.update(cookies)
    return Template("{% load recommendations %}" + source).render(RequestContext(request))


def test_a_row_is_the_same_after_its_way_to_the_browser_and_back() -> None:
    row = Row(kind="trending", limit=3, title="Now", user_id="ann")
    assert rows.unpacked(row.packed()) == row


@pytest.mark.parametrize("text", ["", "junk", Row(kind="new").packed()[:-1], "{}"])
def test_what_this_site_has_not_signed_is_no_row(text: str) -> None:
    with pytest.raises(BadRow):
        rows.unpacked(text)
    assert Client().post(LATE, {"row": text}).status_code == Client().get(PAGE, {"row": text}).status_code == 404


def test_a_lazy_row_waits_only_where_a_script_has_announced_itself(site: FilmSite) -> None:
    source = '{% trending limit=3 lazy=True title="Now" %}'
    assert item_ids(rendered(source, cookies={})) == POPULAR[:3]
    waiting = rendered(source, cookies={rows.COOKIE: "1"})
    assert item_ids(waiting) == []
    assert 'aria-busy="true"' in waiting
    packed = re.search(r'\?row=([^"]+)"', waiting)
    assert packed
    assert rows.unpacked(packed[1]) == Row(kind="trending", limit=3, title="Now")


def test_it_comes_without_what_the_page_shows_by_then(site: FilmSite) -> None:
    row = Row(kind="trending", limit=3, title="Now")
    html = Client().post(LATE, {"row": row.packed(), "shown": [POPULAR[1], "unknown"]}).content.decode()
    assert item_ids(html) == [POPULAR[0], *POPULAR[2:4]]
    assert ">Now</h2>" in html
    assert "<html" not in html


def test_it_has_a_page_of_its_own(site: FilmSite) -> None:
    response = Client().get(PAGE, {"row": Row(kind="trending", limit=3).packed()})
    assert item_ids(response.content.decode())[:3] == POPULAR[:3]
    assert "no-store" in response.headers["Cache-Control"]
    assert Client().get(LATE).status_code == Client().post(PAGE).status_code == 405


def test_a_placement_of_a_page_comes_as_it_stands_there(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.update(limit=2, minimum=2)
    row = Row(context="trending", page="home", user_id="")
    [made], _ = row.lists(Shown(beside={POPULAR[0]}, rows={"": {POPULAR[1]}}))
    assert made.placement == "trending"
    assert [item.item_id for item in made.items] == POPULAR[2:4]


def test_the_token_is_asked_for(site: FilmSite) -> None:
    assert Client(enforce_csrf_checks=True).post(LATE, {"row": Row(kind="trending").packed()}).status_code == 403


def test_a_page_in_parts_is_the_page(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.update(limit=2, minimum=1)
    site.does("ann", ("watch", "alien"))
    whole = [(row.placement, [item.item_id for item in row.items]) for row in serving.page("home", user_id="ann")]
    first = serving.page("home", user_id="ann", only=["homepage", "because_you_watched"])
    shown = {"": [item.item_id for row in first for item in row.items]}
    rest = serving.page("home", user_id="ann", only=["trending", "new", "categories"], shown=shown)
    assert [(row.placement, [item.item_id for item in row.items]) for row in (*first, *rest)] == whole
    assert [spec.name for spec in serving.placements_of("home")][:2] == ["homepage", "because_you_watched"]


def test_rows_of_categories_are_of_what_somebody_likes(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.exclude(name="categories").update(is_active=False)
        Placement.objects.filter(name="categories").update(minimum=1)
    site.does("ann", ("watch", "alien"), ("watch", "clue"))
    lists = serving.page("home", user_id="ann")
    assert [(row.title, [item.item_id for item in row.items]) for row in lists] == [
        ("comedy", ["airplane"]), ("scifi", ["arrival"]),
    ]  # fmt: skip
    [crime, comedy] = serving.page("home", user_id="")
    assert (crime.title, [item.item_id for item in crime.items]) == ("crime", ["heat", "ronin", "thief"])
    assert {item.reason for item in crime.items} == {"Popular in crime"}
    assert comedy.title == "comedy"
    assert serving.recommend("ann", context="categories").title == "comedy"
