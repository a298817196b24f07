"""A log line names requests and routes, and nobody; no header can make a line of its own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from interactions import impressions
from recsite import api_keys
from recsite.logs import JsonFormatter
from recsite.models import ApiKey
from tests.recommender.film_site import FilmSite

ANN = "ann-7f3a91c2d4"
ADDRESS = "203.0.113.77"
AGENT = "Mozilla\x1b[31m\n2026 ERROR forged"
BODY = "a-word-of-the-body"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that is logged, at any level, as production writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    root, before = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.setLevel(before)
    root.removeHandler(handler)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_run_of_everything_names_nobody(
    site: FilmSite, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api_keys.create("all", list(ApiKey.Scope.values))
    headers = {"Authorization": f"Api-Key {key}", "User-Agent": AGENT}
    client = Client(raise_request_exception=False, headers=headers, REMOTE_ADDR=ADDRESS)
    event = {"user_id": ANN, "item_id": "heat", "event_type": "watch", "context": {"note": BODY}}

    def everything() -> list[int]:
        asked = [
            client.post("/api/v1/events", json.dumps(event), content_type="application/json"),
            client.post("/api/v1/events", json.dumps({**event, "item_id": BODY}), content_type="application/json"),
            client.post("/api/v1/events", BODY, content_type="application/json"),
            *(client.get(f"/api/v1/recommendations/{ANN}{query}") for query in ("", "?explain=1", f"?limit={BODY}")),
            client.put(f"/api/v1/users/{ANN}", json.dumps({"country": "FR"}), content_type="application/json"),
            client.get(f"/api/v1/users/{ANN}"),
            client.get(f"/api/v1/nothing/{ANN}"),
            client.get(f"/items/{BODY}/"),
            client.post("/admin/login/", {"username": ANN, "password": BODY}),
            Client(headers={"Authorization": f"Api-Key {key[:-1]}x"}).get(f"/api/v1/users/{ANN}"),
            client.delete(f"/api/v1/users/{ANN}"),
        ]
        impressions.write_pending()
        return [answer.status_code for answer in asked]

    assert max(everything()) < 500

    def away(*arguments: Any, **named: Any) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("interactions.api.views.export", away)
    assert 503 in everything()
    monkeypatch.setattr("interactions.api.views.export", lambda user_id: 1 // 0)
    assert 500 in everything()

    assert [line for line in lines(written) if "ZeroDivisionError" in line.get("trace", "")]
    for secret in (ANN, ADDRESS, BODY, key, key.split("_")[2], "forged", "\x1b"):
        assert secret not in written.getvalue(), secret


def test_a_line_has_the_id_that_the_answer_has(db: None, written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interactions.api.views.export", lambda user_id: 1 // 0)
    key = api_keys.create("all", ["users"])
    client = Client(raise_request_exception=False, headers={"Authorization": f"Api-Key {key}"})
    answer = client.get(f"/api/v1/users/{ANN}")
    (line,) = [line for line in lines(written) if line["level"] == "ERROR"]
    assert line["request_id"] == answer.json()["error"]["request_id"] == answer.headers["X-Request-Id"]
    assert set(line) == {"time", "level", "logger", "message", "request_id", "trace"}
    assert "division by zero" not in answer.text


def test_a_value_with_line_ends_stays_one_line(written: io.StringIO) -> None:
    logging.getLogger("recsite").warning("agent %s", AGENT)
    (line,) = lines(written)
    assert line["message"] == f"agent {AGENT}"
    assert written.getvalue().count("\n") == 1
    assert "\x1b" not in written.getvalue()
