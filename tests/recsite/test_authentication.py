"""Who gets in: the header, the key, the scope."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from recsite import api_keys


class Door(APIView):
    """Reading and sending events ask for different scopes."""

    required_scopes = {"GET": "read", "POST": "events"}

    def get(self, request: Request) -> Response:
        return Response({"key": request.auth.name, "user": request.user})

    def post(self, request: Request) -> Response:
        return Response({"posted": True})


@pytest.fixture(autouse=True)
def _forget(db: None) -> None:
    api_keys.forget()


def ask(method: str, authorization: str | None) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = Door.as_view()(APIRequestFactory().generic(method, "/", headers=headers))
    return response.render()


@pytest.mark.parametrize("scheme", ["Api-Key", "api-key", "Api-Key "])
def test_a_key_with_the_scope_gets_in(scheme: str) -> None:
    response = ask("GET", f"{scheme} {api_keys.create('shop', ['read'])}")
    assert (response.status_code, response.data) == (200, {"key": "shop", "user": None})


def test_no_key_is_told_how_to_send_one() -> None:
    response = ask("GET", None)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Api-Key")
    assert response.data["error"]["code"] == "auth_missing"
    assert response.data["error"]["message"] == "Send a key: `Authorization: Api-Key <key>`."


@pytest.mark.parametrize(
    "header", ["Api-Key wrong", "Api-Key", "Bearer {key}", "{key}", "Basic dXNlcjpwYXNz", "Api-Key \x80"]
)
def test_every_wrong_key_gets_the_same_answer(header: str) -> None:
    response = ask("GET", header.format(key=api_keys.create("shop", ["read"])))
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Api-Key")
    assert response.data["error"]["code"] == "auth_invalid"
    assert response.data["error"]["message"] == "This API key is not valid; send `Authorization: Api-Key <key>`."


def test_a_missing_scope_is_named() -> None:
    response = ask("POST", f"Api-Key {api_keys.create('shop', ['read', 'catalog'])}")
    assert response.status_code == 403
    assert response.data["error"]["code"] == "scope_missing"
    assert response.data["error"]["message"] == "POST here needs the scope 'events'; this key has: catalog, read."


def test_a_method_the_view_lacks_is_405_not_403() -> None:
    response = ask("DELETE", f"Api-Key {api_keys.create('shop', ['read'])}")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    assert response.data["error"]["code"] == "method_not_allowed"


def test_head_needs_what_get_needs() -> None:
    assert ask("HEAD", f"Api-Key {api_keys.create('shop', ['read'])}").status_code == 200
    assert ask("HEAD", f"Api-Key {api_keys.create('shop', ['events'])}").status_code == 403
