"""Which pages' scripts may read what the API answers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from recsite import api_keys

SHOP, OTHER = "https://shop.example", "https://other.example:8443"
EVENTS = "/api/v1/events"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture(autouse=True)
def _keys(db: None) -> None:
    api_keys.forget()


def ask(path: str, origin: str, key: str = "", method: str = "GET", **headers: str) -> Any:
    if key:
        headers["Authorization"] = f"Api-Key {key}"
    return Client().generic(method, path, headers={"Origin": origin, **headers})


def test_a_browsers_question_is_answered_for_the_origins_of_keys() -> None:
    api_keys.create("shop", ["read", "events"], [SHOP])
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = ask(EVENTS, SHOP, method="OPTIONS", **asked)
    assert (answer.status_code, answer[ALLOWED], answer["Vary"]) == (200, SHOP, "origin")
    assert answer["Access-Control-Allow-Headers"] == "authorization, content-type, idempotency-key, x-user-signature"
    assert answer["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://shop.example:444",
        "https://shop.example/",
        "HTTPS://SHOP.EXAMPLE",
        "https://[",
        OTHER,
    ],
)
def test_no_other_origin_is_let_in(origin: str) -> None:
    key = api_keys.create("shop", ["read"], [SHOP])
    api_keys.create("server", ["read"])
    assert ALLOWED not in ask(EVENTS, origin, method="OPTIONS", **{"Access-Control-Request-Method": "POST"})
    refused = ask("/api/v1/pages/home", origin, key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "origin_refused")
    assert ALLOWED not in refused


def test_a_key_is_for_its_own_origins_only() -> None:
    key = api_keys.create("shop", ["read"], [SHOP])
    api_keys.create("other", ["read"], [OTHER])
    assert ask("/api/v1/pages/home", OTHER, key).json()["error"]["code"] == "origin_refused"
    answer = ask("/api/v1/pages/home", SHOP, key)
    assert (answer.status_code, answer[ALLOWED]) == (200, SHOP)
    # A script of the page can read errors, too.
    assert ask("/api/v1/pages/nowhere", SHOP, key)[ALLOWED] == SHOP


def test_a_revoked_keys_origin_is_forgotten() -> None:
    key = api_keys.create("shop", ["read"], [SHOP])
    api_keys.revoke(key.split("_")[1])
    assert ALLOWED not in ask("/api/v1/pages/home", SHOP, key)


def test_pages_of_the_site_are_not_the_api() -> None:
    api_keys.create("shop", ["read"], [SHOP])
    assert ALLOWED not in ask("/livez", SHOP)
    assert ALLOWED not in ask("/admin/login/", SHOP)
