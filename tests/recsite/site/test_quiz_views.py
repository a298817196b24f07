from __future__ import annotations

import re

import pytest
from django.test import Client

from catalog.models import Item
from interactions import preferences, profiles
from interactions.models import UserProfile
from recommender.visitor import SESSION_KEY
from recsite.site import quiz

pytestmark = pytest.mark.usefixtures("films")


def stored() -> list[tuple[str, dict[str, object], str]]:
    return list(UserProfile.objects.values_list("user_id", "preferences", "country"))


def test_answers_are_kept_and_asked_anew_with_what_was_said(client: Client) -> None:
    response = client.post("/welcome/", {"category": ["Horror"], "item": ["matrix", "up"], "country": "FR"})
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert stored() == [(client.session[SESSION_KEY], {"categories": ["Horror"], "items": ["matrix", "up"]}, "FR")]
    html = client.get("/welcome/").content.decode()
    assert re.findall(r'value="([^"]+)" checked', html) == ["Horror", "matrix", "up"]
    assert '<option value="FR" selected>France</option>' in html


def test_new_answers_take_the_place_of_earlier_ones_and_of_nothing_else(client: Client) -> None:
    client.post("/welcome/", {"category": ["Horror"], "country": "FR"})
    user_id = client.session[SESSION_KEY]
    profiles.store(user_id, preferences={"categories": ["Horror"], "tags": ["heist"], "newsletter": True})
    client.post("/welcome/", {"item": ["heat"]})
    told = {"categories": [], "items": ["heat"], "tags": ["heist"], "newsletter": True}
    assert stored() == [(user_id, told, "FR")]


@pytest.mark.parametrize(
    "answers", [{}, {"category": ["Nonsense"]}, {"item": ["unknown", "a\0b"]}, {"country": "FR"}, {"category": [""]}]
)
def test_without_anything_to_like_nothing_is_stored(client: Client, answers: dict[str, object]) -> None:
    response = client.post("/welcome/", answers)
    assert "Pick at least one category or title." in response.content.decode()
    assert stored() == []


def test_what_is_too_much_or_no_country_is_left_out(client: Client) -> None:
    Item.objects.bulk_create(Item(item_id=f"i{number}", title="x") for number in range(200))
    client.post("/welcome/", {"item": [f"i{number}" for number in range(200)], "country": "<b>"})
    [(_, told, country)] = stored()
    assert (len(told["items"]), country) == (preferences.MOST, "")  # type: ignore[arg-type]


def test_a_browser_that_refuses_tracking_leaves_no_trace(client: Client) -> None:
    assert client.post("/welcome/", {"category": ["Horror"]}, headers={"Sec-GPC": "1"}).status_code == 302
    assert stored() == []
    assert SESSION_KEY not in client.session


def test_the_titles_are_of_many_categories(db: None) -> None:
    Item.objects.bulk_create(
        Item(item_id=f"{category}{number}", title="x", category=category, popularity=popularity - number)
        for category, popularity in (("loud", 100), ("quiet", 10))
        for number in range(30)
    )
    offered = [card.item_id for card in quiz.titles()]
    assert offered[:4] == ["loud0", "loud1", "quiet0", "quiet1"]
    assert len(offered) == len(set(offered)) == quiz.TITLES
