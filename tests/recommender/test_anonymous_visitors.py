"""Somebody without an account, in his browser: known by his session, personal from his first act on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from interactions.models import Impression, UserProfile
from recommender import serving, tasks
from recommender.visitor import SESSION_KEY
from tests.recommender.film_site import FilmSite


def home(client: Client, **headers: str) -> str:
    answer = client.get(reverse("site:home"), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_what_he_watches_counts_on_the_next_page_of_his_session(site: FilmSite, client: Client) -> None:
    before = home(client)
    assert "Because you watched" not in before
    assert SESSION_KEY not in client.session
    with site.commit():
        client.post(reverse("site:act", args=["watch", "alien"]))
    visitor_id = client.session[SESSION_KEY]
    assert UserProfile.objects.filter(user_id=visitor_id, account=None).exists()
    assert "Because you watched Alien" in home(client)
    assert tasks.write_impressions() > 0
    assert set(Impression.objects.values_list("user_id_text", flat=True)) == {visitor_id}
    # Another browser is somebody else.
    assert "Because you watched" not in home(Client())


def test_the_api_serves_a_visitor_by_the_same_id(site: FilmSite, client: Client) -> None:
    with site.commit():
        client.post(reverse("site:act", args=["watch", "alien"]))
    made = serving.recommend(client.session[SESSION_KEY])
    assert (made.fallback, made.items[0].item_id) == (False, "arrival")


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_a_browser_that_asks_not_to_be_tracked_leaves_no_trace(site: FilmSite, client: Client, header: str) -> None:
    with site.commit():
        client.post(reverse("site:act", args=["watch", "alien"]), headers={header: "1"})
    assert "Because you watched" not in home(client, **{header: "1"})
    assert SESSION_KEY not in client.session
    assert not UserProfile.objects.exists()
    assert tasks.write_impressions() == 0
