"""Every error has one shape, whoever raised it."""

from __future__ import annotations

import ast
import json
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions, serializers
from rest_framework.request import Request

from catalog.api.errors import ApiError
from recommender.exceptions import (
    ConfigurationError,
    ModelUnavailable,
    RequestError,
    UnknownItem,
    UnknownPlacement,
)
from recsite import errors
from recsite.environment import BASE_DIRECTORY
from recsite.error_codes import ERROR_CODES
from recsite.rate_limits import RateLimited


def answer(exception: Exception) -> Any:
    response = errors.handle_exception(exception, {"request": Request(RequestFactory().get("/api/v1/x"))})
    assert response is not None
    return response


def test_the_shape() -> None:
    response = answer(ApiError("too_long", "title is too long.", status=422, field="title", index=3))

    error = response.data["error"]
    assert response.status_code == 422
    assert error == {
        "code": "too_long",
        "message": "title is too long.",
        "field": "title",
        "index": 3,
        "request_id": response.headers["X-Request-Id"],
        "docs": "/api/v1/docs#errors",
    }
    assert UUID(error["request_id"]).version == 4


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "scope_missing"),
        (exceptions.MethodNotAllowed("PATCH"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/plain"), 415, "media_type_unsupported"),
        (exceptions.ParseError(), 400, "json_invalid"),
        (exceptions.NotAuthenticated(), 401, "auth_missing"),
        (exceptions.AuthenticationFailed(), 401, "auth_invalid"),
        (exceptions.PermissionDenied(), 403, "scope_missing"),
        (RateLimited(5, 2.1), 429, "rate_limited"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (OperationalError("server closed the connection: secret"), 503, "unavailable"),
        (InterfaceError("connection already closed"), 503, "unavailable"),
        (DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), 400, "value_invalid"),
        (UnknownItem("ronin"), 404, "item_unknown"),
        (UnknownPlacement("no placement 'x'"), 404, "placement_unknown"),
        (RequestError("limit"), 400, "request_invalid"),
        (ModelUnavailable("/srv/models/7 is missing"), 503, "model_unavailable"),
    ],
)
def test_what_others_raise_is_rendered_too(exception: Exception, status: int, code: str) -> None:
    response = answer(exception)
    assert (response.status_code, response.data["error"]["code"]) == (status, code)


@pytest.mark.parametrize("exception", [OperationalError("password=hunter2"), ModelUnavailable("/srv/models/7")])
def test_our_own_failures_say_when_to_retry_and_nothing_else(exception: Exception) -> None:
    response = answer(exception)
    assert response.headers["Retry-After"] == "5"
    assert str(exception) not in json.dumps(response.data)


def test_throttling_says_when_to_retry() -> None:
    assert answer(RateLimited(5, 2.1)).headers["Retry-After"] == "3"


def test_an_unknown_item_is_named() -> None:
    assert answer(UnknownItem("ronin")).data["error"]["message"] == "There is no item 'ronin'."


def test_a_serializers_first_message_is_given_with_its_path() -> None:
    class Inner(serializers.Serializer[Any]):
        number = serializers.IntegerField()

    class Outer(serializers.Serializer[Any]):
        rows = Inner(many=True)

    serializer = Outer(data={"rows": [{"number": 1}, {"number": "x"}]})
    with pytest.raises(exceptions.ValidationError) as caught:
        serializer.is_valid(raise_exception=True)
    error = answer(caught.value).data["error"]
    assert (error["code"], error["field"]) == ("invalid", "rows.1.number")
    assert error["message"] == "A valid integer is required."


@pytest.mark.parametrize("exception", [KeyError("x"), ConfigurationError("x"), AssertionError()])
def test_a_programming_error_is_not_hidden(exception: Exception) -> None:
    assert errors.handle_exception(exception, {}) is None


def test_a_crash_is_logged_under_its_request_id_and_told_without_details(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*arguments: Any) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("recsite.api_docs.document", crash)
    client = Client(raise_request_exception=False)

    with caplog.at_level(logging.ERROR, logger="recsite.errors"):
        response = client.get("/api/v1/schema")

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert response.headers["X-Request-Id"] == error["request_id"]
    (record,) = (record for record in caplog.records if record.name == "recsite.errors")
    assert record.getMessage() == f"request {error['request_id']} crashed: GET api/v1/schema"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
    assert not any(record.name == "django.request" for record in caplog.records)


@pytest.mark.parametrize("path", ["/api/", "/api/v2/items", "/api/v1/nothing", "/api/v1/items/a/b/c", "/api/v1/items/"])
def test_an_unknown_path_is_json_below_api(path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/json")
    assert response.json()["error"]["message"] == f"There is no route {path}; the documentation lists all of them."


def test_an_unknown_path_elsewhere_is_a_page() -> None:
    response = Client().get("/nothing")
    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_what_django_refuses_is_json_below_api(monkeypatch: pytest.MonkeyPatch) -> None:
    response = Client().get("/api/v1/schema", headers={"Host": "evil.example"})
    assert (response.status_code, response.json()["error"]["code"]) == (400, "request_invalid")


def test_every_code_the_sources_can_answer_is_documented() -> None:
    raised = {"not_found", "method_not_allowed", "internal_error"}
    for app in ("catalog", "interactions", "experiments", "recommender", "recsite"):
        for source in Path(BASE_DIRECTORY, app).rglob("*.py"):
            if source.name != "importing.py" and source.parent.name != "datasets":  # their reports are no answers
                raised |= set(_codes(ast.parse(source.read_text())))
    assert raised - set(ERROR_CODES) == set()


def _codes(tree: ast.AST) -> list[str]:
    """Return the literal codes given to what the API shows: refusals and verdicts."""
    place = {"ApiError": 0, "InvalidItem": 0, "ProfileError": 0, "Verdict": 1}
    codes = [
        node.args[place[node.func.id]]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in place
        and len(node.args) > place[node.func.id]
    ]
    return [code.value for code in codes if isinstance(code, ast.Constant) and isinstance(code.value, str)]


def test_a_refused_body_is_read_to_its_end() -> None:
    request = RequestFactory().post("/api/v1/events", b"x" * 3_000_000, content_type="application/json")
    errors.handle_exception(ApiError("body_too_large", "Limit is 2 MB.", status=413), {"request": Request(request)})
    assert request.read(1) == b""


def test_an_endless_body_is_cut_off() -> None:
    request = RequestFactory().post(
        "/api/v1/events", b"x" * (errors.MOST_TAKEN + 2 * errors.CHUNK), content_type="application/json"
    )
    errors.handle_exception(ApiError("body_too_large", "Limit is 2 MB.", status=413), {"request": Request(request)})
    assert request.read(1) == b"x"
