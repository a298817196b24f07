"""Walks the URLconf: no route of the API can be added without a key, a scope and JSON errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from recsite import api_keys
from recsite.models import ApiKey

OPEN = {"/api/v1/schema", "/api/v1/docs", "/api/v1/quick-start"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(resolver: URLResolver, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield re.sub(r"<(uuid:)?[^>]+>", lambda m: "0" * 32 if m[1] else "x", path), pattern.callback
        elif path.startswith("/api/"):
            yield from routes(pattern, path)


API = {path: view for path, view in routes(get_resolver()) if path.startswith("/api/v1/") and path not in OPEN}


def scopes_of(path: str) -> dict[str, str]:
    scopes: dict[str, str] = API[path].view_class.required_scopes
    return scopes


def cases() -> list[tuple[str, str]]:
    return [(path, method) for path in API for method in scopes_of(path)]


@pytest.fixture
def _keys(db: None) -> None:
    api_keys.forget()


def ask(path: str, method: str, scopes: list[str] | None) -> Any:
    headers = {} if scopes is None else {"Authorization": f"Api-Key {api_keys.create('test', scopes)}"}
    return Client().generic(method, path, headers=headers)


def test_the_routes_of_the_api_are_found() -> None:
    assert "/api/v1/items/x" in API


@pytest.mark.parametrize("path", API)
def test_every_method_of_a_view_declares_a_known_scope(path: str) -> None:
    view = API[path].view_class
    implemented = {method for method in METHODS if hasattr(view, method.lower())}
    assert set(scopes_of(path)) == implemented
    assert set(scopes_of(path).values()) <= set(ApiKey.Scope.values)


@pytest.mark.parametrize(("path", "method"), cases())
@pytest.mark.usefixtures("_keys")
def test_no_key_is_401(path: str, method: str) -> None:
    response = ask(path, method, None)
    assert (response.status_code, response.json()["error"]["code"]) == (401, "auth_missing")
    assert response.headers["WWW-Authenticate"] == "Api-Key"


@pytest.mark.parametrize(("path", "method"), cases())
@pytest.mark.usefixtures("_keys")
def test_every_other_scope_together_is_403(path: str, method: str) -> None:
    needed = scopes_of(path)[method]
    response = ask(path, method, [scope for scope in ApiKey.Scope.values if scope != needed])
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (403, "scope_missing")
    assert f"needs the scope {needed!r}" in error["message"]


@pytest.mark.parametrize("path", API)
@pytest.mark.usefixtures("_keys")
def test_a_method_a_view_lacks_is_405(path: str) -> None:
    scopes = scopes_of(path)
    missing = next(method for method in METHODS if method not in scopes)
    response = ask(path, missing, list(ApiKey.Scope.values))
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")
    allowed = set(response.headers["Allow"].split(", "))
    assert set(scopes) <= allowed
    assert missing not in allowed


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("path", sorted(OPEN))
def test_the_documentation_needs_no_key(path: str) -> None:
    assert Client().get(path).status_code == 200


@pytest.mark.usefixtures("_keys")
def test_the_language_of_accept_does_not_matter() -> None:
    key = api_keys.create("test", ["catalog"])
    response = Client().get("/api/v1/items/x", headers={"Authorization": f"Api-Key {key}", "Accept": "text/html"})
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/json")
