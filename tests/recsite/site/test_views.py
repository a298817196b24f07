import re
from collections.abc import Callable
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils.html import escape

from catalog.importing import item_record, upsert_items
from catalog.models import Item
from interactions.models import Event
from recommender.exceptions import ModelUnavailable
from recommender.visitor import SESSION_KEY
from recsite.csp import ADMIN_POLICY, POLICY
from recsite.site import browse_views, views

pytestmark = pytest.mark.usefixtures("films")

REQUEST_ID = UUID("6f1b2a52-6f0c-4b1e-9a53-0d5a1b6f7c11")
ORIGIN = f"request={REQUEST_ID}&position=3&from=homepage"

Recorded = Callable[[], list[tuple[str, str, str]]]


def test_home_shows_every_film_at_most_once(client: Client, recorded: Recorded) -> None:
    response = client.get("/")
    html = response.content.decode()
    assert response.status_code == 200
    hero = re.search(r'id="hero-title" dir="auto">([^<]+)<', html)
    assert hero
    in_rows = re.findall(r'data-item-id="([^"]+)"', html)
    assert len(in_rows) == len(set(in_rows)) >= 4
    assert hero[1] not in re.findall(r'class="recs-name" dir="auto">([^<]+)<', html)
    assert recorded() == []


def test_pages_have_the_strict_policy_and_obey_it(client: Client) -> None:
    for address in (
        "/",
        "/items/inception/",
        "/browse/",
        "/search/?q=heat",
        "/profile/",
        "/welcome/",
        "/embed/",
        "/nothing-here/",
    ):
        response = client.get(address)
        html = response.content.decode()
        assert response.headers["Content-Security-Policy"] == POLICY
        assert "unsafe" not in POLICY
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', html.replace('href="http://testserver', ""))


def test_the_admin_has_a_policy_of_its_own(client: Client) -> None:
    assert client.get("/admin/login/").headers["Content-Security-Policy"] == ADMIN_POLICY


def test_home_stands_without_the_recommender(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page_name: str, *, user_id: str) -> None:
        raise ModelUnavailable("none")

    monkeypatch.setattr(views.serving, "page", fail)
    response = client.get("/")
    assert response.status_code == 200
    assert response.content.decode().count("recs-name") == 6


def test_a_crash_has_a_page_of_its_own(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page_name: str, *, user_id: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(views.serving, "page", fail)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert "Something went wrong on our side." in response.content.decode()
    assert response.headers["Content-Security-Policy"] == POLICY


def test_an_item_page_has_a_row_without_the_item_itself(client: Client) -> None:
    html = client.get("/items/inception/").content.decode()
    in_row = re.findall(r'data-item-id="([^"]+)"', html)
    assert len(in_row) >= 4
    assert "inception" not in in_row


def test_a_programming_error_is_not_hidden(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page_name: str, *, user_id: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(views.serving, "page", fail)
    with pytest.raises(ZeroDivisionError):
        client.get("/")


def test_opening_an_item_is_one_view_of_a_new_visitor(client: Client, recorded: Recorded) -> None:
    response = client.get("/items/inception/")
    assert "<h1" in response.content.decode()
    visitor = client.session[SESSION_KEY]
    assert visitor.startswith("visitor-")
    assert recorded() == [(visitor, "view", "inception")]
    client.get("/items/alien/")
    assert recorded() == [(visitor, "view", "inception"), (visitor, "view", "alien")]


def test_coming_back_within_half_an_hour_is_the_same_visit(client: Client, recorded: Recorded) -> None:
    with time_machine.travel("2026-01-05 12:00Z", tick=False) as clock:
        client.get("/items/inception/")
        clock.shift(30 * 60)
        client.get("/items/inception/")
        client.get("/items/alien/")
        assert [item for _, _, item in recorded()] == ["inception", "alien"]
        clock.shift(30 * 60 + 1)
        client.get("/items/inception/")
        assert [item for _, _, item in recorded()] == ["inception", "alien", "inception"]


def test_returning_from_a_rating_is_no_view(client: Client, recorded: Recorded) -> None:
    client.post("/act/rate/inception/", {"stars": "5"})
    assert "5 of 5 stars" in client.get("/items/inception/").content.decode()
    assert [kind for _, kind, _ in recorded()] == ["rating"]


def test_the_history_names_each_item_once_unless_more_was_done_with_it(client: Client) -> None:
    client.get("/items/heat/")
    client.get("/items/alien/")
    client.post("/act/watch/alien/")
    client.post("/act/rate/alien/", {"stars": "3"})
    html = client.get("/profile/").content.decode()
    deeds = re.findall(r'deed-verb">([^<]+)</span> <span class="deed-title" dir="auto">([^<]+)<', html)
    assert sorted(deeds) == [("Looked at", "Heat"), ("Rated", "Alien"), ("Watched", "Alien")]
    assert 'aria-label="3 of 5 stars"' in html
    assert "just now" in html


def test_a_click_on_a_card_is_recorded_once_with_its_list(client: Client, recorded: Recorded) -> None:
    for _ in range(2):
        assert client.get(f"/items/inception/?{ORIGIN}").status_code == 200
    assert sorted(kind for _, kind, _ in recorded()) == ["click", "view"]
    click = Event.objects.get(event_type__name="click")
    assert click.request_id == REQUEST_ID
    assert click.context == {"source": "homepage", "position": 3}


@pytest.mark.parametrize(
    "query",
    [
        "request=junk&position=1&from=homepage",
        f"request={REQUEST_ID}&position=-1&from=homepage",
        f"request={REQUEST_ID}&position=1e9&from=homepage",
        f"request={REQUEST_ID}&position=٣&from=homepage",
        f"request={REQUEST_ID}&position=1&from=<script>",
        f"request={REQUEST_ID}&position=1&from={'x' * 101}",
        f"request={REQUEST_ID}&position=1&from=%00",
        f"request={REQUEST_ID}&position=1",
    ],
)
def test_a_junk_origin_is_silently_no_origin(client: Client, recorded: Recorded, query: str) -> None:
    assert client.get(f"/items/inception/?{query}").status_code == 200
    assert [kind for _, kind, _ in recorded()] == ["view"]
    assert Event.objects.get().request_id is None


@pytest.mark.parametrize("headers", [{"DNT": "1"}, {"Sec-GPC": "1"}])
def test_a_browser_that_refuses_tracking_leaves_no_trace(
    client: Client, recorded: Recorded, headers: dict[str, str]
) -> None:
    response = client.get(f"/items/inception/?{ORIGIN}", headers=headers)
    assert "Your browser asks not to be tracked." in response.content.decode()
    assert recorded() == []
    assert "sessionid" not in response.cookies
    client.post("/act/watch/inception/", headers=headers)
    assert recorded() == []
    assert SESSION_KEY not in client.session


def test_looking_ahead_is_no_view(client: Client, recorded: Recorded) -> None:
    client.head("/items/inception/")
    client.get("/items/inception/", headers={"Sec-Purpose": "prefetch;prerender"})
    assert recorded() == []


@pytest.mark.parametrize("item_id", ["unknown", "%00", "x" * 300, "hidden"])
def test_an_item_that_may_not_be_shown_is_404(client: Client, recorded: Recorded, item_id: str) -> None:
    upsert_items([item_record({"item_id": "hidden", "title": "Hidden", "is_active": False})])
    response = client.get(f"/items/{item_id}/")
    assert response.status_code == 404
    assert "This page is not here." in response.content.decode()
    assert recorded() == []


def test_an_item_with_an_awkward_id_has_a_page_a_poster_and_acts(client: Client, recorded: Recorded) -> None:
    upsert_items([item_record({"item_id": "a/b?c#d é", "title": "Awkward", "category": "Odd/One?"})])
    page = client.get("/browse/Odd/One%3F/")
    address = re.search(r'class="recs-link" href="([^"]+)"', page.content.decode())
    assert address
    assert address[1] == "/items/a%2Fb%3Fc%23d%20%C3%A9/"
    html = client.get(address[1]).content.decode()
    assert [item for _, _, item in recorded()] == ["a/b?c#d é"]
    poster = re.search(r'class="item-poster" src="([^"]+)"', html)
    assert poster
    assert client.get(poster[1].replace("&amp;", "&")).status_code == 200
    act = re.search(r'formaction="(/act/watch/[^"]+)"', html)
    assert act
    assert client.post(act[1]).status_code == 302
    assert len(recorded()) == 2


def test_hostile_texts_are_only_text(client: Client) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'"
    fields = {"title": hostile, "description": hostile, "category": hostile, "tags": [hostile], "creators": [hostile]}
    Item.objects.create(item_id="bad", url="javascript:alert(1)", image_url="javascript:alert(1)", **fields)
    for address in ("/items/bad/", "/browse/", "/search/?q=onerror", "/", f"/search/?q={hostile}"):
        html = client.get(address).content.decode()
        assert "<img src=x" not in html
        assert "javascript:" not in html
    assert escape(hostile) in client.get("/items/bad/").content.decode()


def test_browsing_goes_by_category_and_page(client: Client) -> None:
    html = client.get("/browse/Science%20Fiction/").content.decode()
    assert sorted(re.findall(r'class="recs-name" dir="auto">([^<]+)<', html)) == ["Inception", "The Matrix"]
    assert client.get("/browse/Nothing/").status_code == 404
    for page in ("2", "0", "-1", "abc", "1e9", "999999999999"):
        assert client.get("/browse/", {"page": page}).status_code == 200


def test_pages_follow_each_other_without_a_gap(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browse_views, "ITEMS_PER_PAGE", 4)
    names = []
    for page in ("1", "2"):
        names += re.findall(r'recs-name" dir="auto">([^<]+)<', client.get("/browse/", {"page": page}).content.decode())
    assert sorted(names) == ["Alien", "Amélie", "Heat", "Inception", "The Matrix", "Up"]
    assert 'rel="next"' in client.get("/browse/").content.decode()
    assert 'rel="next"' not in client.get("/browse/?page=2").content.decode()


def test_search_forgives_a_spelling_mistake(client: Client) -> None:
    html = client.get("/search/", {"q": "incepton"}).content.decode()
    assert re.findall(r'recs-name" dir="auto">([^<]+)<', html) == ["Inception"]


@pytest.mark.parametrize("text", ["", " ", "\0", "%", "'", "x" * 5000, "😀", "\u202e", "zzzzzzzz"])
def test_a_search_for_nothing_finds_nothing(client: Client, text: str) -> None:
    response = client.get("/search/", {"q": text})
    assert response.status_code == 200
    assert "recs-name" not in response.content.decode()


@pytest.mark.parametrize("address", ["/", "/items/inception/", "/browse/", "/search/", "/profile/", "/embed/"])
def test_pages_take_no_posts(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405
