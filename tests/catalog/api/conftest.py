"""A client whose key may write the catalogue, and one item to start from."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog.models import Item
from recsite import api_keys


class JsonClient(Client):
    """Sends JSON with a key; `send` takes the body as a value or as bytes."""

    def send(self, method: str, path: str, body: Any = None, **headers: Any) -> Any:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.generic(method, f"/api/v1/{path}", data, content_type="application/json", headers=headers)


@pytest.fixture
def api(db: None) -> JsonClient:
    api_keys.forget()
    return JsonClient(headers={"Authorization": f"Api-Key {api_keys.create('shop', ['catalog'])}"})


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat", category="Crime", tags=["heist"], popularity=7.0)
