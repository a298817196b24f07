"""`<recsite-carousel>` on a page of another origin, under a strict policy, among a hostile catalogue."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from catalog.models import Item
from interactions.models import Event, UserProfile
from recsite import api_keys, user_signatures
from tests.browser import Person
from tests.recommender.browser.conftest import Comes
from tests.recommender.film_site import FilmSite

HOSTILE = {
    "markup": "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
    "long": "x" * 500,
    "arabic": "ليلة في القاهرة",
    "emoji": "👩‍👩‍👧‍👦 Family 🎬",
}
"""Item id → title."""
SOURCES = "pictures => pictures.map(picture => picture.src)"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width">
<script type="module" src="{api}/static/recommender/recsite-carousel.js"></script>
<h1>Shop</h1>
<recsite-carousel {attributes} key="{key}"><p>Nothing today</p></recsite-carousel>
"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    policy = ""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", self.policy)
        # A page that was written anew within the second would be taken for the old one.
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def shop(folder: Path, api: str) -> Iterator[str]:
    """Serve the folder from another origin, whose policy lets in nothing but the widget and what it asks for."""
    policy = f"default-src 'none'; script-src {api}; connect-src {api}; img-src {api}; style-src 'none'"
    handler = functools.partial(type("Handler", (_Handler,), {"policy": policy}), directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


class Shop:
    """A page of the shop with a widget on it, in somebody's browser."""

    def __init__(self, folder: Path, origin: str, person: Person, api: str) -> None:
        self.folder, self.origin, self.person, self.api = folder, origin, person, api
        self.key = api_keys.create("shop", ["read", "events"], [origin])
        self.page: Page = person.page

    def shows(self, attributes: str) -> None:
        """Open the page with a widget of these attributes."""
        page = PAGE.format(api=self.api, attributes=attributes, key=self.key)
        (self.folder / "index.html").write_text(page, encoding="utf-8")
        self.page.goto(f"{self.origin}/index.html")

    @property
    def titles(self) -> list[str]:
        """What the cards say; waits for them."""
        expect(self.page.get_by_role("list")).to_be_visible()
        return self.page.locator("recsite-carousel [part=name]").all_inner_texts()


@pytest.fixture
def at_shop(films: FilmSite, comes: Comes, tmp_path: Path) -> Iterator[Shop]:
    person = comes()
    for item_id, title in HOSTILE.items():
        image = {"markup": "javascript:alert(1)", "emoji": f"{person.origin}/static/no-such-picture.png"}
        Item.objects.create(
            item_id=item_id,
            title=title,
            category="odd",
            image_url=image.get(item_id, ""),
            url="javascript:alert(1)",
            popularity=50,
        )
    (tmp_path / "shop").mkdir()
    with shop(tmp_path / "shop", person.origin) as origin:
        yield Shop(tmp_path / "shop", origin, person, person.origin)


def waits_for(page: Page, happened: Callable[[], bool]) -> None:
    for _ in range(100):
        if happened():
            return
        page.wait_for_timeout(100)
    pytest.fail("it did not happen")


def test_a_hostile_catalogue_is_only_text(at_shop: Shop) -> None:
    page = at_shop.page

    def is_whole() -> bool:
        at_shop.shows('placement="homepage" limit="20"')
        return set(HOSTILE.values()) <= set(at_shop.titles)

    # A web process that has just started answers what it finds popular until it has opened the model.
    waits_for(page, is_whole)
    assert page.title() == "Shop"
    assert page.locator("recsite-carousel script").count() == 0
    addresses = page.locator("recsite-carousel a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert all(address is None or address.startswith("http") for address in addresses)
    assert not [src for src in page.locator("recsite-carousel img").evaluate_all(SOURCES) if "alert" in src]
    assert not at_shop.person.scrolls_sideways
    pictureless = page.locator("recsite-carousel li", has_text=HOSTILE["emoji"])
    pictureless.scroll_into_view_if_needed()
    expect(pictureless.locator("[part=poster]")).to_have_text(HOSTILE["emoji"])
    assert all("no-such-picture" in complaint for complaint in at_shop.person.complaints)
    at_shop.person.complaints.clear()


def test_a_visitor_is_known_by_what_his_browser_made_up(at_shop: Shop) -> None:
    at_shop.shows('placement="homepage"')
    assert "Ronin" in at_shop.titles
    page = at_shop.page
    visitor = page.evaluate("localStorage.getItem('recsite-visitor')")
    page.locator("recsite-carousel a", has_text="Ronin").click()
    page.wait_for_url("**/items/ronin/")
    waits_for(page, lambda: Event.objects.filter(event_type__name="click", item__item_id="ronin").exists())
    click = Event.objects.get(event_type__name="click")
    assert click.user.user_id == visitor
    assert click.request_id is not None
    assert click.context["source"] == "homepage"
    at_shop.shows('placement="homepage"')
    assert at_shop.titles
    assert page.evaluate("localStorage.getItem('recsite-visitor')") == visitor
    waits_for(page, lambda: Event.objects.filter(event_type__name="impression").exists())


def test_who_is_signed_in_is_proven_by_the_server(at_shop: Shop, films: FilmSite) -> None:
    films.does("ann", ("watch", "heat"))
    signature = user_signatures.sign(at_shop.key.split("_")[1], "ann")

    def is_personal() -> bool:
        at_shop.shows(f'type="personalized" user="ann" signature="{signature}"')
        return at_shop.titles[:2] == ["Ronin", "Thief"]

    # A web process that has just started answers what is popular until it has opened the model.
    waits_for(at_shop.page, is_personal)
    at_shop.shows(f'type="personalized" user="bob" signature="{signature}"')
    expect(at_shop.page.get_by_text("Nothing today")).to_be_visible()
    waits_for(at_shop.page, lambda: bool(at_shop.person.complaints))
    [refused] = at_shop.person.complaints
    assert "403" in refused
    at_shop.person.complaints.clear()


def test_without_consent_nothing_is_stored_here_or_there(at_shop: Shop) -> None:
    before = UserProfile.objects.count()
    posted: list[str] = []
    at_shop.page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    # The page of the item is the site's own, which has its own ways to ask.
    at_shop.page.route("**/items/**", lambda route: route.fulfill(body="Ronin"))
    at_shop.shows('placement="homepage" consent="no"')
    assert "Ronin" in at_shop.titles
    at_shop.page.wait_for_timeout(1500)
    at_shop.page.locator("recsite-carousel a", has_text="Ronin").click()
    at_shop.page.wait_for_url("**/items/ronin/")
    assert posted == []
    assert at_shop.page.context.storage_state()["origins"] == []
    assert UserProfile.objects.count() == before


def test_a_short_outage_is_outlived_and_a_long_one_shows_what_the_page_says(at_shop: Shop) -> None:
    failures = 2

    def fail(route: Route) -> None:
        nonlocal failures
        if failures > 0:
            failures -= 1
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"}, body="{}")
        else:
            route.continue_()

    at_shop.page.route("**/api/v1/recommendations/**", fail)
    at_shop.shows('placement="homepage"')
    assert "Ronin" in at_shop.titles
    failures = 1000
    at_shop.shows('placement="homepage"')
    expect(at_shop.page.get_by_text("Nothing today")).to_be_visible()
    assert all("503" in complaint for complaint in at_shop.person.complaints)
    at_shop.person.complaints.clear()


def test_arrow_keys_go_from_card_to_card(at_shop: Shop) -> None:
    at_shop.shows('placement="homepage" heading="Tonight"')
    assert at_shop.titles
    page = at_shop.page
    expect(page.get_by_role("heading", name="Tonight")).to_be_visible()
    links = page.locator("recsite-carousel a[href]")
    links.first.focus()

    def focused() -> str:
        return str(
            page.evaluate("document.querySelector('recsite-carousel').shadowRoot.activeElement.innerText.trim()")
        )

    names = links.all_inner_texts()
    page.keyboard.press("ArrowRight")
    assert focused() == names[1].strip()
    page.keyboard.press("End")
    assert focused() == names[-1].strip()
    page.keyboard.press("Home")
    assert focused() == names[0].strip()
