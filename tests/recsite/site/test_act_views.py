from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.test import Client

from interactions.models import Event, UserProfile
from recommender.visitor import SESSION_KEY
from recsite.site import demo_user, people

pytestmark = pytest.mark.usefixtures("films")

REQUEST_ID = UUID("6f1b2a52-6f0c-4b1e-9a53-0d5a1b6f7c11")
ORIGIN = f"request={REQUEST_ID}&position=3&from=homepage"

Recorded = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture
def demo_users(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [SimpleNamespace(user_id=name) for name in ("ada", "grace")]
    monkeypatch.setattr(people.interactions, "demo_users", lambda limit: found[:limit])


def messages_of(client: Client, address: str = "/") -> str:
    html = client.get(address).content.decode()
    return html.split('id="messages"')[1].partition(">")[2].split("</div>")[0]


def test_watching_records_exactly_one_event_and_goes_back(client: Client, recorded: Recorded) -> None:
    response = client.post(f"/act/watch/inception/?{ORIGIN}", {"next": "/browse/?page=1"})
    assert (response.status_code, response.headers["Location"]) == (302, "/browse/?page=1")
    assert recorded() == [(client.session[SESSION_KEY], "watch", "inception")]
    event = Event.objects.get()
    assert event.request_id == REQUEST_ID
    assert event.context == {"source": "homepage", "position": 3}
    assert "Marked as watched: Inception" in messages_of(client)
    assert messages_of(client) == ""


@pytest.mark.parametrize(
    ("name", "event_type"),
    [("like", "like"), ("not-interested", "not_interested"), ("already-seen", "already_seen")],
)
def test_each_act_is_its_own_event(client: Client, recorded: Recorded, name: str, event_type: str) -> None:
    response = client.post(f"/act/{name}/alien/")
    assert response.headers["Location"] == "/items/alien/"
    assert [(kind, item) for _, kind, item in recorded()] == [(event_type, "alien")]


def test_stars_are_the_value_of_a_rating(client: Client) -> None:
    client.post("/act/rate/alien/", {"stars": "4"})
    assert Event.objects.get().value == 4.0
    assert "You gave Alien four stars." in messages_of(client)


@pytest.mark.parametrize("stars", ["", "0", "6", "4.5", "nan", "five", "\0"])
def test_other_ratings_are_refused(client: Client, recorded: Recorded, stars: str) -> None:
    assert client.post("/act/rate/alien/", {"stars": stars}).status_code == 302
    assert recorded() == []
    assert "Choose one to five stars." in messages_of(client)


@pytest.mark.parametrize("address", ["/act/watch/unknown/", "/act/delete/inception/", "/act/watch/%00/"])
def test_what_cannot_be_done_is_404(client: Client, recorded: Recorded, address: str) -> None:
    assert client.post(address).status_code == 404
    assert recorded() == []


def test_an_act_needs_a_post_with_the_token_of_the_site(recorded: Recorded) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.get("/act/watch/inception/").status_code == 405
    refused = client.post("/act/watch/inception/")
    assert refused.status_code == 403
    assert "That could not be accepted." in refused.content.decode()
    assert recorded() == []
    client.get("/browse/")
    token = client.cookies["csrftoken"].value
    assert client.post("/act/watch/inception/", {"csrfmiddlewaretoken": token}).status_code == 302
    assert [kind for _, kind, _ in recorded()] == ["watch"]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_going_back_never_leaves_the_site(client: Client, target: str) -> None:
    response = client.post("/act/watch/inception/", {"next": target})
    assert response.headers["Location"] == "/items/inception/"


def test_withheld_consent_is_respected_and_said(client: Client, recorded: Recorded, demo_users: None) -> None:
    UserProfile.objects.create(user_id="ada", consent="withheld")
    client.post("/sign-in/", {"user_id": "ada"})
    client.post("/act/watch/inception/")
    assert recorded() == []
    assert "That could not be recorded:" in messages_of(client)


def test_a_demo_user_is_chosen_kept_and_left(client: Client, recorded: Recorded, demo_users: None) -> None:
    page = client.get("/sign-in/").content.decode()
    assert ">ada</bdi></h2>" in page
    assert client.post("/sign-in/", {"user_id": "ada"}).headers["Location"] == "/"
    client.post("/act/watch/inception/")
    assert recorded() == [("ada", "watch", "inception")]
    assert client.post("/sign-out/").headers["Location"] == "/"
    client.post("/act/watch/alien/")
    assert recorded()[1][0] == client.session[SESSION_KEY] != "ada"


def test_only_demo_users_can_be_chosen(client: Client, demo_users: None) -> None:
    response = client.post("/sign-in/", {"user_id": "mallory"})
    assert response.status_code == 200
    assert "There is no such demo user." in response.content.decode()
    assert demo_user.SESSION_KEY not in client.session


def test_signing_out_needs_a_post(client: Client) -> None:
    assert client.get("/sign-out/").status_code == 405


def test_a_site_with_accounts_has_no_demo_users(
    client: Client, settings: django_settings, recorded: Recorded, demo_users: None
) -> None:
    client.post("/sign-in/", {"user_id": "ada"})
    settings.DEMO_SITE = False
    assert client.get("/sign-in/").status_code == 404
    assert client.post("/sign-in/", {"user_id": "grace"}).status_code == 404
    client.post("/act/watch/inception/")
    assert [user for user, _, _ in recorded()] == [client.session[SESSION_KEY]]
    assert "/sign-in/" not in client.get("/browse/").content.decode()
