"""A key that everybody can read: what it may do, and for whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from interactions.models import Event, UserProfile
from recsite import api_keys, user_signatures
from recsite.models import ApiKey
from tests.recsite.test_urls import cases, scopes_of

SHOP = "https://shop.example"
VISITOR = "visitor-3f2b8a6e-1c4d-4e5f-8a9b-0c1d2e3f4a5b"
ABOUT_A_USER = {
    # route: (path, whether the user is named in the query)
    "/api/v1/recommendations/x": "/api/v1/recommendations/{user}",
    "/api/v1/similar/x": "/api/v1/similar/x?user_id={user}",
    "/api/v1/pages/x": "/api/v1/pages/x?user_id={user}",
}
EVENT = {"item_id": "heat", "event_type": "view", "timestamp": "2026-01-01T00:00:00Z"}


@pytest.fixture
def key(db: None) -> str:
    api_keys.forget()
    return api_keys.create("shop", ["read", "events"], [SHOP])


def ask(key: str, path: str, body: Any = None, signature: str = "") -> Any:
    headers = {"Authorization": f"Api-Key {key}", "Origin": SHOP}
    if signature:
        headers["X-User-Signature"] = signature
    if body is None:
        return Client().get(path, headers=headers)
    return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)


def code_of(answer: Any) -> str:
    return str(answer.json().get("error", {}).get("code", ""))


@pytest.mark.parametrize(
    ("scopes", "origins", "message"),
    [
        (["read", "catalog"], [SHOP], "may not have the scope catalog"),
        (["users"], [SHOP], "may not have the scope users"),
        (["read"], ["shop.example"], "'shop.example' is no origin"),
        (["read"], ["*"], r"'\*' is no origin"),
        (["read"], ["null"], "'null' is no origin"),
        (["read"], ["https://*.shop.example"], "is no origin"),
        (["read"], [SHOP, "https://shop.example/page"], "'https://shop.example/page' is no origin"),
        (["read"], ["ftp://shop.example"], "is no origin"),
    ],
)
@pytest.mark.django_db
def test_what_may_not_be_published_is_not_made(scopes: list[str], origins: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        api_keys.create("shop", scopes, origins)
    assert not ApiKey.objects.exists()


def test_the_command_makes_one_and_tells_the_secret_to_sign_with(key: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "web", "--scope", "read", "--origin", SHOP, "http://localhost:3000/")
    said = capsys.readouterr()
    made = said.out.strip()
    assert made.startswith("rp_")
    assert user_signatures.signing_secret(made.split("_")[1]) in said.err
    row = ApiKey.objects.get(name="web")
    assert (row.origins, row.published) == ([SHOP, "http://localhost:3000"], made)
    with pytest.raises(CommandError, match="no origin"):
        call_command("create_api_key", "web2", "--scope", "read", "--origin", "everywhere")


def test_every_route_it_may_call_asks_for_whom(key: str) -> None:
    """A route that a publishable key opens must be in the table above, or post events."""
    readable = {(path, method) for path, method in cases() if scopes_of(path)[method] == "read"}
    bodies = {"GET": None, "POST": {}}
    refused = {
        (path, method) for path, method in readable if code_of(ask(key, path, bodies[method])) == "scope_missing"
    }
    assert readable - refused == {(path, "GET") for path in ABOUT_A_USER}
    for path in ABOUT_A_USER.values():
        assert code_of(ask(key, path.format(user="ann"))) == "user_unproven"
        signature = user_signatures.sign(key.split("_")[1], "ann")
        assert code_of(ask(key, path.format(user="ann"), signature=signature)) != "user_unproven"
        assert code_of(ask(key, path.format(user="bob"), signature=signature)) == "user_unproven"
        assert code_of(ask(key, path.format(user=VISITOR))) != "user_unproven"


def test_events_of_somebody_unproven_are_refused_whole(key: str) -> None:
    own, others = {**EVENT, "user_id": VISITOR}, {**EVENT, "user_id": "ann"}
    refused = ask(key, "/api/v1/events", {"events": [own, others]})
    assert (refused.status_code, code_of(refused)) == (403, "user_unproven")
    assert not UserProfile.objects.exists()
    assert not Event.objects.exists()
    assert ask(key, "/api/v1/events", {"events": [own]}).status_code == 202


def test_it_does_not_explain(key: str) -> None:
    assert ask(key, f"/api/v1/recommendations/{VISITOR}?explain=1").status_code == 403


def test_a_secret_key_acts_for_anybody(key: str) -> None:
    secret = api_keys.create("server", ["read", "events"])
    for path in ABOUT_A_USER.values():
        assert code_of(ask(secret, path.format(user="ann"))) != "user_unproven"


def test_without_consent_nobody_is_recognised_and_nothing_is_stored(key: str) -> None:
    answer = ask(key, f"/api/v1/recommendations/{VISITOR}?consent=0")
    assert (answer.status_code, answer.json()["fallback"]) == (200, True)
    assert code_of(ask(key, f"/api/v1/recommendations/{VISITOR}?consent=maybe")) == "param_invalid"
