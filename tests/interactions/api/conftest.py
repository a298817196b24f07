from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client

from recsite import api_keys

Send = Callable[..., HttpResponse]


@pytest.fixture
def send(settings: django_settings) -> Send:
    """Send a request with a key of the given scopes."""
    settings.ROOT_URLCONF = "tests.interactions.api.urls"
    keys: dict[tuple[str, ...], str] = {}

    def request(
        method: str,
        path: str,
        body: Any = None,
        *,
        scopes: tuple[str, ...] = ("events", "users"),
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        if scopes not in keys:
            keys[scopes] = api_keys.create("test", scopes)
        arguments: dict[str, Any] = {} if body is None else {"data": body, "content_type": content_type}
        call = getattr(Client(raise_request_exception=False), method.lower())
        return call(f"/api/v1/{path}", headers={"Authorization": f"Api-Key {keys[scopes]}", **headers}, **arguments)

    return request
