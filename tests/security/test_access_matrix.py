"""Who gets what from which address: every route of the URLconf, so that a new one is missed until it stands here.

The pages of the admin and its roles are in `tests.recsite.test_roles`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from catalog.importing import item_record, upsert_items
from interactions.models import Event
from recsite import api_keys
from recsite.models import ApiKey
from tests.recsite.site.conftest import CommittingClient
from tests.recsite.test_roles import ROLES

SHOP = "https://shop.example"
SCOPES = ("read", "events", "catalog", "users")
KEYLESS = ("nobody", "another's session", *ROLES)
"""A session opens nothing of the API, whoever it is of."""

API: dict[tuple[str, str], dict[str, int]] = {
    # 400: let in, and then told that there is no body; 404: let in, and there is no such thing.
    ("GET", "recommendations/<str:user_id>"): {"read": 200, "publishable": 403},
    ("POST", "recommendations"): {"read": 400, "publishable": 403},
    ("GET", "similar/<str:item_id>"): {"read": 404, "publishable": 404},
    ("GET", "pages/<str:page>"): {"read": 404, "publishable": 404},
    ("GET", "experiments/<slug:experiment_id>/report"): {"read": 404},
    ("POST", "events"): {"events": 400, "publishable": 400},
    ("POST", "items"): {"catalog": 400},
    ("GET", "items/<str:item_id>"): {"catalog": 404},
    ("PUT", "items/<str:item_id>"): {"catalog": 400},
    ("DELETE", "items/<str:item_id>"): {"catalog": 404},
    ("PUT", "items/<str:item_id>/embeddings/<str:space>"): {"catalog": 400},
    ("POST", "users/merge"): {"users": 400},
    ("GET", "users/<str:user_id>"): {"users": 404},
    ("PUT", "users/<str:user_id>"): {"users": 400},
    ("DELETE", "users/<str:user_id>"): {"users": 200},
}
"""Method and route → what the keys of these kinds get. Every other key gets 403, who has none 401."""
OPEN_API = {"schema", "docs", "quick-start"}
PAGES = {
    # route: (method, a path of it, what a visitor gets)
    "livez": ("GET", "/livez", 200),
    "readyz": ("GET", "/readyz", 200),
    "metrics": ("GET", "/metrics", 200),
    "": ("GET", "/", 200),
    "items/<path:item_id>/": ("GET", "/items/heat/", 200),
    "browse/": ("GET", "/browse/", 200),
    "browse/<path:category>/": ("GET", "/browse/Crime/", 200),
    "search/": ("GET", "/search/?q=heat", 200),
    "welcome/": ("GET", "/welcome/", 200),
    "profile/": ("GET", "/profile/", 200),
    "profile/pause/": ("POST", "/profile/pause/", 302),
    "profile/resume/": ("POST", "/profile/resume/", 302),
    "profile/data/": ("GET", "/profile/data/", 200),
    "profile/erase/": ("GET", "/profile/erase/", 200),
    "undo/<slug:name>/<path:item_id>/": ("POST", "/undo/watch/heat/", 302),
    "history/": ("GET", "/history/", 302),
    "embed/": ("GET", "/embed/", 200),
    # Only with what a page has signed.
    "recommender/late": ("POST", "/recommender/late", 404),
    "recommender/row": ("GET", "/recommender/row", 404),
    "recommender/report": ("POST", "/recommender/report", 400),
    "act/<slug:name>/<path:item_id>/": ("POST", "/act/watch/heat/", 302),
    "sign-in/": ("GET", "/sign-in/", 200),
    "sign-out/": ("POST", "/sign-out/", 302),
    "posters/<path:item_id>.svg": ("GET", "/posters/heat.svg", 200),
    "backdrops/<path:item_id>.svg": ("GET", "/backdrops/heat.svg", 200),
}
"""What is for everybody: nobody sees another's here, since no address names a person."""


def api_routes() -> dict[str, Any]:
    (api,) = (one for one in get_resolver().url_patterns if str(one.pattern) == "api/v1/")
    return {route: view for one in api.url_patterns for route, view in flat(one)}  # type: ignore[union-attr]


def page_routes() -> set[str]:
    tops = [one for one in get_resolver().url_patterns if str(one.pattern) not in ("api/v1/", "admin/")]
    return {route for top in tops for route, _ in flat(top)}


def flat(entry: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    route = prefix + str(entry.pattern)
    if isinstance(entry, URLPattern):
        yield route, entry.callback
    else:
        for one in entry.url_patterns:
            yield from flat(one, route)


def path_of(route: str) -> str:
    parts = ["nothing" if part.startswith("<") else part for part in route.split("/")]
    return "/api/v1/" + "/".join(parts)


@pytest.fixture
def keys(db: None) -> dict[str, str]:
    api_keys.forget()
    made = {scope: api_keys.create(scope, [scope]) for scope in SCOPES}
    made["publishable"] = api_keys.create("web", ["read", "events"], [SHOP])
    return made


def test_every_route_stands_here() -> None:
    found = {
        (method.upper(), route)
        for route, view in api_routes().items()
        if route not in OPEN_API
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view.view_class, method)
    }
    assert found == set(API)
    assert set(api_routes()) == {route for _, route in API} | OPEN_API
    assert page_routes() == set(PAGES)


@pytest.mark.parametrize(("method", "route"), API)
def test_a_key_gets_what_its_scope_says(keys: dict[str, str], method: str, route: str) -> None:
    expected = {kind: API[method, route].get(kind, 403) for kind in keys}
    got = {
        kind: Client().generic(method, path_of(route), headers={"Authorization": f"Api-Key {key}"}).status_code
        for kind, key in keys.items()
    }
    assert got == expected


@pytest.mark.parametrize("who", KEYLESS)
def test_without_a_key_the_api_is_closed(db: None, who: str) -> None:
    client = Client()
    if who != "nobody":
        user = User.objects.create_user(who, is_staff=who in ROLES)
        user.groups.set(Group.objects.filter(name=who))
        client.force_login(user)
    statuses = {
        (method, route): client.generic(
            method, path_of(route), headers={"Cookie": "recsite_demo_user_id=ann"}
        ).status_code
        for method, route in API
    }
    assert statuses == dict.fromkeys(API, 401)


def test_a_revoked_key_is_a_wrong_one(keys: dict[str, str]) -> None:
    for key in keys.values():
        api_keys.revoke(key.split("_")[1])
    for method, route in API:
        for key in keys.values():
            answer = Client().generic(method, path_of(route), headers={"Authorization": f"Api-Key {key}"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "auth_invalid")


def test_a_key_revoked_by_another_process_is_refused_within_five_seconds(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("recsite.api_keys.time.monotonic", lambda: now[0])
    api_keys.forget()
    assert api_keys.verify(keys["read"]) is not None
    assert SHOP in api_keys.origins()
    # Past `revoke`, which tells only its own process.
    ApiKey.objects.update(revoked_at=timezone.now())
    now[0] += 5.0
    assert api_keys.verify(keys["read"]) is None
    assert api_keys.origins() == frozenset()


@pytest.mark.parametrize("route", PAGES)
@pytest.mark.parametrize("who", ["a visitor", "another's session", "Viewers"])
@pytest.mark.django_db
def test_a_page_is_for_everybody(route: str, who: str) -> None:
    upsert_items([item_record({"item_id": "heat", "title": "Heat", "category": "Crime"})])
    method, path, expected = PAGES[route]
    client = Client()
    if who != "a visitor":
        user = User.objects.create_user("bob", is_staff=who in ROLES)
        user.groups.set(Group.objects.filter(name=who))
        client.force_login(user)
    assert client.generic(method, path).status_code == expected


def test_nobody_sees_what_another_did(db: None) -> None:
    upsert_items([item_record({"item_id": "heat", "title": "Heat", "category": "Crime"})])
    ann, bob = CommittingClient(), CommittingClient()
    assert ann.post("/act/watch/heat/").status_code == 302
    assert bob.post("/act/like/heat/").status_code == 302
    deeds = {name: client.get("/profile/").context["deeds"] for name, client in (("ann", ann), ("bob", bob))}
    assert {name: [deed.event_type for deed in own] for name, own in deeds.items()} == {
        "ann": ["watch"],
        "bob": ["like"],
    }


def test_a_form_from_elsewhere_changes_nothing(db: None) -> None:
    """A page of another origin can make a browser post, cookies and all, but not with the token."""
    upsert_items([item_record({"item_id": "heat", "title": "Heat", "category": "Crime"})])
    User.objects.create_superuser("boss", password="boss")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get())
    for path in ("/act/watch/heat/", "/sign-out/", "/admin/recsite/apikey/add/", "/admin/logout/"):
        assert client.post(path, {"name": "x"}).status_code == 403
    body = json.dumps({"user_id": "ann", "item_id": "heat", "event_type": "watch", "timestamp": "2026-01-01T00:00:00Z"})
    assert client.post("/api/v1/events", body, content_type="application/json").status_code == 401
    assert not Event.objects.exists()
    assert not ApiKey.objects.exists()
