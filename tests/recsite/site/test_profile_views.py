from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from django.test import Client

from interactions.models import Event, UserProfile
from recommender.visitor import SESSION_KEY

pytestmark = pytest.mark.usefixtures("films")

Recorded = Callable[[], list[tuple[str, str, str]]]


def listed(client: Client, section: str) -> list[str]:
    html = client.get("/profile/").content.decode()
    part = re.search(rf'<section id="{section}".*?</section>', html, flags=re.DOTALL)
    assert part
    return re.findall(r'class="deed-title" dir="auto">([^<]+)<', part[0])


def test_each_list_has_what_was_said_of_it(client: Client) -> None:
    client.post("/act/not-interested/alien/")
    client.post("/act/already-seen/up/")
    client.post("/act/watch/heat/")
    assert listed(client, "dismissed") == ["Alien"]
    assert listed(client, "already-seen") == ["Up"]
    assert sorted(listed(client, "history")) == ["Alien", "Heat", "Up"]


def test_a_word_is_taken_back_and_the_rest_stays(client: Client, recorded: Recorded) -> None:
    for name in ("not-interested", "watch"):
        client.post(f"/act/{name}/alien/")
    assert client.post("/undo/not-interested/alien/").headers["Location"] == "/profile/"
    assert [(kind, item) for _, kind, item in recorded()] == [("watch", "alien")]
    assert listed(client, "dismissed") == []
    client.post("/undo/everything/alien/")
    assert recorded() == []


@pytest.mark.parametrize("address", ["/undo/watch/unknown/", "/undo/delete/alien/", "/undo/watch/%00/"])
def test_what_was_never_said_cannot_be_taken_back(client: Client, recorded: Recorded, address: str) -> None:
    client.post("/act/watch/alien/")
    assert client.post(address).status_code == 404
    assert len(recorded()) == 1


def test_nobody_takes_back_what_another_has_said(client: Client, recorded: Recorded) -> None:
    client.post("/act/watch/alien/")
    Client().post("/undo/everything/alien/")
    assert len(recorded()) == 1


def test_while_paused_nothing_is_recorded_and_what_was_stays(client: Client, recorded: Recorded) -> None:
    client.post("/act/watch/alien/")
    client.post("/profile/pause/")
    client.post("/act/watch/heat/")
    client.get("/items/up/")
    html = client.get("/profile/").content.decode()
    assert "Recording is paused" in html
    assert [item for _, _, item in recorded()] == ["alien"]
    client.post("/profile/resume/")
    client.post("/act/watch/heat/")
    assert [item for _, _, item in recorded()] == ["alien", "heat"]
    assert listed(client, "history") == ["Heat", "Alien"]


def test_somebody_takes_away_what_is_stored_of_him(client: Client) -> None:
    client.post("/act/watch/alien/")
    response = client.get("/profile/data/")
    assert response.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    taken = json.loads(response.content)
    assert taken["user_id"] == client.session[SESSION_KEY]
    assert [(event["event_type"], event["item_id"]) for event in taken["events"]] == [("watch", "alien")]
    assert json.loads(Client().get("/profile/data/").content)["events"] == []


def test_erasing_needs_a_confirmation_and_leaves_nothing(client: Client, recorded: Recorded) -> None:
    client.post("/act/watch/alien/")
    assert "Erase everything about you?" in client.get("/profile/erase/").content.decode()
    assert client.post("/profile/erase/").headers["Location"] == "/profile/erase/"
    assert len(recorded()) == 1
    assert client.post("/profile/erase/", {"confirm": "yes"}).headers["Location"] == "/"
    assert (Event.objects.count(), UserProfile.objects.count()) == (0, 0)
    assert SESSION_KEY not in client.session


def test_who_refuses_tracking_may_still_have_himself_erased(client: Client) -> None:
    client.post("/act/watch/alien/")
    client.post("/profile/erase/", {"confirm": "yes"}, headers={"DNT": "1"})
    assert (Event.objects.count(), UserProfile.objects.count()) == (0, 0)


@pytest.mark.parametrize("address", ["/profile/pause/", "/profile/resume/", "/undo/watch/alien/"])
def test_what_changes_something_needs_a_post_with_the_token(address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 403


def test_the_old_address_of_the_history_leads_to_the_profile(client: Client) -> None:
    assert client.get("/history/").headers["Location"] == "/profile/"
