"""What a client may send anywhere, and what it may not set: parameters, filters, fields of its own making."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from catalog.models import Item
from interactions.models import Event, UserProfile
from recsite import api_keys
from recsite.error_codes import ERROR_CODES
from recsite.models import ApiKey
from recsite.openapi import document
from tests.recommender.api.test_recommendations import ITEM_KEYS, LIST_KEYS
from tests.recommender.film_site import FilmSite
from tests.security.test_access_matrix import API

HOSTILE = ("'; DROP TABLE catalog_item; --", "$$", "a\0b", "%00", b"\xed\xa0\x80", "-id; x", "1e999")
PARAMETERS = (
    "limit",
    "context",
    "type",
    "item_id",
    "exclude",
    "expand",
    "language",
    "device",
    "user_id",
    "phase",
    "ordering",
)


@pytest.fixture
def all_scopes(db: None) -> Client:
    api_keys.forget()
    return Client(headers={"Authorization": f"Api-Key {api_keys.create('all', list(ApiKey.Scope.values))}"})


def put(client: Client, path: str, body: Any) -> Any:
    return client.put(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


@pytest.mark.parametrize("path", ["recommendations/ann", "similar/heat", "pages/home", "users/ann"])
def test_no_parameter_of_the_api_breaks_it(site: FilmSite, all_scopes: Client, path: str) -> None:
    for value in HOSTILE:
        for name in PARAMETERS:
            assert all_scopes.get(f"/api/v1/{path}", QUERY_STRING=_query(name, value)).status_code < 500, (name, value)


@pytest.mark.parametrize(("method", "route"), API)
def test_no_id_of_the_api_breaks_it(db: None, all_scopes: Client, method: str, route: str) -> None:
    for value in HOSTILE:
        path = "/".join(_quoted(value) if part.startswith("<") else part for part in route.split("/"))
        assert all_scopes.generic(method, f"/api/v1/{path}").status_code < 500, value
    assert "catalog_item" in connection.introspection.table_names()


@pytest.mark.parametrize(("method", "route"), API)
def test_every_answer_is_one_of_the_document(db: None, all_scopes: Client, method: str, route: str) -> None:
    documented = {re.sub(r"{\w+}", "{}", path): operations for path, operations in document()["paths"].items()}
    operation = documented["/api/v1/" + re.sub(r"<\w+:\w+>", "{}", route)][method.lower()]
    path = "/api/v1/" + re.sub(r"<\w+:\w+>", "nothing", route)
    bodies = ("", "{", "[]", "null", "{}", '{"a": 1}', '{"events": [1]}', '{"vector": "x"}', '{"preferences": 1}')
    for body in bodies:
        for content_type in ("application/json", "text/plain"):
            answer = all_scopes.generic(method, path, body, content_type=content_type)
            assert str(answer.status_code) in operation["responses"], (body, content_type)
            assert answer.status_code < 500
            if answer.status_code >= 400:
                assert answer.json()["error"]["code"] in ERROR_CODES


def _quoted(value: str | bytes) -> str:
    return _query("", value)[1:]


def _query(name: str, value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode()
    return f"{name}=" + "".join(f"%{byte:02X}" for byte in raw)


def test_no_filter_search_or_order_of_the_admin_breaks_it(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    for model, page in admin.site._registry.items():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        filters = [one for one in page.list_filter or () if isinstance(one, str)]
        value = "'; DROP TABLE x; -- $$ %00"
        for query in ({"q": value}, {"o": value} | dict.fromkeys((*filters, "password__startswith"), value)):
            assert client.get(path, query).status_code in (200, 302, 400), (path, query)


def test_what_only_the_site_may_set_is_refused(all_scopes: Client) -> None:
    for extra in ("is_staff", "id", "pk", "tenant", "popularity", "revision", "created_at"):
        for path, body in (("items/heat", {"title": "Heat"}), ("users/ann", {"country": "FR"})):
            refused = put(all_scopes, path, {**body, extra: 1})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "field_unknown")
    assert not Item.objects.exists()
    assert not UserProfile.objects.exists()


def test_an_event_says_neither_its_weight_nor_when_it_came(site: FilmSite, all_scopes: Client) -> None:
    event = {"user_id": "ann", "item_id": "heat", "event_type": "watch", "timestamp": "2026-01-01T00:00:00Z"}
    extra = {"received_at": "1999-01-01T00:00:00Z", "weight": 1000, "is_staff": True, "user": 1, "id": 7}
    all_scopes.post("/api/v1/events", json.dumps({**event, **extra}), content_type="application/json")
    for stored in Event.objects.all():
        assert stored.received_at.year > 2000
        assert stored.context is None


def test_a_list_says_nothing_of_the_user_or_how_it_was_made(site: FilmSite, all_scopes: Client) -> None:
    site.does("ann", ("watch", "heat"))
    for path in ("recommendations/ann", "similar/heat?user_id=ann"):
        document = all_scopes.get(f"/api/v1/{path}").json()
        assert set(document) == LIST_KEYS
        assert {name for item in document["recommendations"] for name in item} == ITEM_KEYS
        assert "ann" not in json.dumps(document)


def test_a_page_has_a_largest_size_whatever_is_asked_for(site: FilmSite, all_scopes: Client) -> None:
    for limit in ("0", "-1", "101", "1000000000", "abc", "1e2"):
        assert all_scopes.get("/api/v1/recommendations/ann", {"limit": limit}).json()["error"]["code"] == "param_range"
