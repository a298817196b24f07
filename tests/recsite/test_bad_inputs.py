"""What is wrong is said: one row for each kind of bad input, with the answer it gets and nothing stored.

Numbers are those of the table of bad inputs that the API was built to; test_all_bad_inputs.py names all of them, with
the tests elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from interactions.models import DeadLetter, Event
from recsite import api_keys
from recsite.models import ApiKey
from tests.recommender.conftest import commit, fresh_process, models, site  # noqa: F401 -- fixtures
from tests.recommender.film_site import FilmSite

EVENT = {"user_id": "ann", "item_id": "heat", "event_type": "watch"}
JSON = "application/json"
AHEAD = (datetime.now(UTC) + timedelta(hours=25)).isoformat()
OVERLONG = {**EVENT, "context": {"note": "x" * 33_000}}


def of(**fields: Any) -> bytes:
    return json.dumps({name: value for name, value in {**EVENT, **fields}.items() if value is not ...}).encode()


def nested(levels: int) -> bytes:
    return b'{"context":' + b"[" * levels + b"]" * levels + b"}"


Row = tuple[str, bytes, int, str, str | None, str]
BODIES: list[Row] = [
    # name, body, status, code, field, part of the message
    ("01 malformed", b'{"a":}', 400, "json_invalid", None, "Invalid JSON at line 1 column 6"),
    ("02 empty", b"", 400, "body_empty", None, "Request body is empty"),
    ("02 blank", b" \n", 400, "body_empty", None, "Request body is empty"),
    ("03 text", b'"event"', 400, "body_type", None, "Expected an object, got a string"),
    ("03 list", b"[]", 400, "body_type", None, "Expected an object, got a list"),
    ("03 null", b"null", 400, "body_type", None, "Expected an object, got null"),
    ("04 latin-1", '{"user_id": "é"}'.encode("latin-1"), 400, "encoding_invalid", None, "Body must be UTF-8"),
    ("04 utf-16", '{"user_id": "ann"}'.encode("utf-16"), 400, "encoding_invalid", None, "Body must be UTF-8"),
    ("05 33 levels", nested(32), 400, "json_too_deep", None, "limited to 32 levels"),
    ("05 5,000 levels", nested(5_000), 400, "json_too_deep", None, "limited to 32 levels"),
    ("05 100,000 levels", nested(100_000), 400, "json_too_deep", None, "limited to 32 levels"),
    ("06 10 MB", b'"' + b"x" * 10 * 2**20 + b'"', 413, "body_too_large", None, "Limit is 2 MB (got 10.0 MB)"),
    ("07 an event of 33 KB", json.dumps(OVERLONG).encode(), 400, "event_too_large", None, "Limit is 32 KB"),
    (
        "08 1,001 events",
        json.dumps({"events": [EVENT] * 1_001}).encode(),
        413,
        "too_many_events",
        None,
        "Limit is 1,000 per request",
    ),
    ("11 NaN", of(value=float("nan")), 400, "number_invalid", "value", "value is NaN"),
    ("11 Infinity", of(value=float("inf")), 400, "number_invalid", "value", "value is Infinity"),
    ("11 1e999", of(value="@").replace(b'"@"', b"1e999"), 400, "number_invalid", "value", "value is 1e999"),
    ("12 5,000 digits", of(value="@").replace(b'"@"', b"9" * 5_000), 400, "number_out_of_range", "value", "999…"),
    ("12 2^63", of(value=2**63), 400, "number_out_of_range", "value", "not a finite 64-bit number"),
    ("13 NUL", of(item_id="he\0at"), 400, "string_nul", "item_id", "contains a NUL character"),
    ("13 NUL within", of(context={"a": ["\0"]}), 400, "string_nul", "context.a[0]", "contains a NUL character"),
    ("14 surrogate", of(item_id="\ud800"), 400, "string_surrogate", "item_id", "lone surrogate"),
    ("14 surrogate within", of(context={"a": "\udfff"}), 400, "string_surrogate", "context.a", "lone surrogate"),
    (
        "15 key twice",
        b'{"user_id": "ann", "user_id": "bob"}',
        400,
        "key_duplicate",
        "user_id",
        "user_id appears twice",
    ),
    ("16 no user", of(user_id=...), 400, "field_required", "user_id", "user_id is required"),
    ("16 no item", of(item_id=...), 400, "field_required", "item_id", "item_id is required"),
    *(
        (f"17 {name}", of(user_id=user_id), 400, "id_invalid", "user_id", reason)
        for name, user_id, reason in (
            ("empty", "", "is empty"),
            ("spaces", "  ", "is empty"),
            ("null", "null", "a placeholder"),
            ("undefined", "undefined", "a placeholder"),
            ("an object's text", "[object Object]", "a placeholder"),
            ("zeros", "0000-0000", "a placeholder"),
            ("201 characters", "x" * 201, "at most 200"),
            ("control", "a\x07b", "U+0007"),
            ("bidi", "a\u202eb", "U+202E"),
            ("zero width", "a\u200bb", "U+200B"),
        )
    ),
    ("18 number", of(user_id=7), 400, "type", "user_id", "must be a string, got a number"),
    ("18 boolean", of(user_id=True), 400, "type", "user_id", "must be a string, got a boolean"),
    ("18 object", of(user_id={}), 400, "type", "user_id", "must be a string, got an object"),
    ("19 text", of(event_id="first"), 400, "event_id_invalid", "event_id", "must be a UUID"),
    ("19 number", of(event_id=1), 400, "event_id_invalid", "event_id", "must be a UUID"),
    *(
        (f"20 {name}", of(timestamp=timestamp), 400, "timestamp_invalid", "timestamp", "Use RFC 3339 with an offset")
        for name, timestamp in (
            ("naive", "2026-01-01T00:00:00"),
            ("epoch", 1_767_225_600),
            ("leap second", "2016-12-31T23:59:60Z"),
            ("month 13", "2026-13-01T00:00:00Z"),
        )
    ),
    ("21 25 hours ahead", of(timestamp=AHEAD), 400, "timestamp_future", "timestamp", "more than 24 hours ahead"),
    ("22 before 1970", of(timestamp="1969-12-31T23:59:59Z"), 400, "timestamp_too_old", "timestamp", "before 1970"),
    (
        "23 type",
        of(event_type="stare"),
        400,
        "event_type_unknown",
        "event_type",
        "valid are: add_to_list, already_seen",
    ),
]

HEADERS: list[tuple[str, dict[str, str], int, str]] = [
    ("09 gzip", {"Content-Encoding": "gzip"}, 415, "encoding_unsupported"),
    ("09 unknown encoding", {"Content-Encoding": "zstd"}, 415, "encoding_unsupported"),
    ("26 an empty Idempotency-Key", {"Idempotency-Key": ""}, 400, "idempotency_key_invalid"),
    ("26 of 256 characters", {"Idempotency-Key": "x" * 256}, 400, "idempotency_key_invalid"),
    ("28 no key", {"Authorization": ""}, 401, "auth_missing"),
    ("28 wrong key", {"Authorization": f"Api-Key rs_{'0' * 8}_{'0' * 40}"}, 401, "auth_invalid"),
    ("28 no key at all", {"Authorization": "Api-Key secret"}, 401, "auth_invalid"),
    ("28 another scheme", {"Authorization": "Bearer x"}, 401, "auth_invalid"),
]

QUERIES: list[tuple[str, str, str, int, str, str | None]] = [
    ("24 limit=0", "recommendations/ann", "limit=0", 400, "param_range", "limit"),
    ("24 limit=-1", "recommendations/ann", "limit=-1", 400, "param_range", "limit"),
    ("24 limit=1e9", "recommendations/ann", "limit=1e9", 400, "param_range", "limit"),
    ("24 limit=1000000000", "similar/heat", "limit=1000000000", 400, "param_range", "limit"),
    ("24 limit=abc", "pages/home", "limit=abc", 400, "param_range", "limit"),
    ("24 cursor=tampered", "recommendations/ann", "cursor=tampered", 400, "cursor_invalid", "cursor"),
    ("25 unknown item", "similar/nothing", "", 404, "item_unknown", None),
    ("25 unknown seed", "recommendations/ann", "type=similar&item_id=nothing", 404, "item_unknown", None),
    ("25 no such stored item", "items/nothing", "", 404, "item_unknown", "item_id"),
    ("30 path", "recommendation/ann", "", 404, "not_found", None),
]


@pytest.fixture
def api(site: FilmSite) -> Client:  # noqa: F811
    api_keys.forget()
    key = api_keys.create("everything", ApiKey.Scope.values)
    return Client(headers={"Authorization": f"Api-Key {key}"}, raise_request_exception=False)


def assert_refused(response: Any, status: int, code: str, field: str | None, message: str = "") -> None:
    """Assert the answer has the one shape, says why, and nothing was stored."""
    assert response.headers["Content-Type"] == JSON
    error = response.json()["error"]
    assert set(error) == {"code", "message", "field", "index", "request_id", "docs"}
    assert (response.status_code, error["code"], error["field"], error["index"]) == (status, code, field, None)
    assert message in error["message"]
    assert error["request_id"] == response.headers["X-Request-Id"]
    assert not Event.objects.exists()


@pytest.mark.parametrize(("name", "body", "status", "code", "field", "message"), BODIES, ids=[row[0] for row in BODIES])
def test_a_bad_body_is_refused(
    api: Client, name: str, body: bytes, status: int, code: str, field: str | None, message: str
) -> None:
    response = api.post("/api/v1/events", body, content_type=JSON)
    assert_refused(response, status, code, field, message)


@pytest.mark.parametrize(("name", "headers", "status", "code"), HEADERS, ids=[row[0] for row in HEADERS])
def test_bad_headers_are_refused(api: Client, name: str, headers: Mapping[str, str], status: int, code: str) -> None:
    response = api.post("/api/v1/events", of(), content_type=JSON, headers=headers)
    assert_refused(response, status, code, None)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_10_another_media_type_is_refused(api: Client, media_type: str) -> None:
    response = api.generic("POST", "/api/v1/events", of(), content_type=media_type)
    assert_refused(response, 415, "media_type_unsupported", None, media_type)


@pytest.mark.parametrize(("name", "path", "query", "status", "code", "field"), QUERIES, ids=[row[0] for row in QUERIES])
def test_a_bad_request_for_a_list_is_refused(
    api: Client, name: str, path: str, query: str, status: int, code: str, field: str | None
) -> None:
    assert_refused(api.get(f"/api/v1/{path}?{query}"), status, code, field)


def test_07_in_a_batch_only_the_event_that_is_too_large_is_refused(api: Client) -> None:
    answer = api.post("/api/v1/events", {"events": [EVENT, OVERLONG]}, content_type=JSON)
    verdicts = [(verdict["status"], verdict.get("code")) for verdict in answer.json()["results"]]
    assert (answer.status_code, verdicts) == (202, [("accepted", None), ("rejected", "event_too_large")])
    assert Event.objects.count() == 1


def test_21_a_clock_that_is_a_little_ahead_is_warned_of(api: Client) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = api.post("/api/v1/events", of(timestamp=ahead), content_type=JSON)
    assert (answer.status_code, answer.json()["results"]) == (
        202,
        [{"index": 0, "status": "accepted", "warning": "clock_skew"}],
    )
    assert Event.objects.count() == 1


def test_23_an_unknown_field_is_ignored_of_an_event_and_refused_of_what_is_edited(api: Client) -> None:
    assert api.post("/api/v1/events", of(mood="good"), content_type=JSON).status_code == 202
    assert Event.objects.get().event_type.name == "watch"
    for path, body in (("items/heat", {"title": "Heat", "mood": 1}), ("users/ann", {"mood": 1})):
        answer = api.put(f"/api/v1/{path}", body, content_type=JSON)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "field_unknown")
        assert answer.json()["error"]["field"] == "mood"
    assert api.get("/api/v1/items/heat").json()["category"] == "crime"


def test_25_an_unknown_user_gets_what_most_people_take(api: Client) -> None:
    made = api.get("/api/v1/recommendations/stranger").json()
    assert (made["fallback"], made["fallback_reason"]) == (True, "unknown_user")
    assert made["recommendations"][0]["item_id"] == "heat"


def test_22_an_event_that_would_be_dropped_at_once_is_refused(api: Client, settings: django_settings) -> None:
    settings.INTERACTIONS_RETENTION_DAYS = 30
    aged = (datetime.now(UTC) - timedelta(days=31)).isoformat()
    response = api.post("/api/v1/events", of(timestamp=aged), content_type=JSON)
    assert_refused(response, 400, "timestamp_too_old", "timestamp", "older than the 30 days")


def test_26_an_idempotency_key_is_for_one_request(api: Client) -> None:
    key = {"Idempotency-Key": "one"}
    first, again = (api.post("/api/v1/events", of(), content_type=JSON, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.content) == (202, 202, first.content)
    other = api.post("/api/v1/events", of(item_id="up"), content_type=JSON, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert Event.objects.count() == 1


def test_29_a_key_beyond_its_limit_is_told_when_to_come_back(api: Client) -> None:
    headers = {"Authorization": f"Api-Key {api_keys.create('slow', ['events'], rate=1)}"}
    assert api.post("/api/v1/events", b"{}", content_type=JSON, headers=headers).status_code == 400
    refused = api.post("/api/v1/events", of(), content_type=JSON, headers=headers)
    assert_refused(refused, 429, "rate_limited", None, "More than 1 requests a minute")
    assert {"Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(refused.headers)


def test_28_a_revoked_key_and_a_key_without_the_scope(api: Client) -> None:
    revoked, reader = (api_keys.create(name, ["read"]) for name in ("revoked", "reader"))
    assert api_keys.revoke(revoked.split("_")[1])
    for key, status, code in ((revoked, 401, "auth_invalid"), (reader, 403, "scope_missing")):
        headers = {"Authorization": f"Api-Key {key}"}
        assert_refused(api.post("/api/v1/events", of(), content_type=JSON, headers=headers), status, code, None)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "events", "OPTIONS, POST"),
        ("POST", "recommendations/ann", "GET, HEAD, OPTIONS"),
        ("PATCH", "items/heat", "DELETE, GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_30_a_wrong_method_is_told_the_right_ones(api: Client, method: str, path: str, allow: str) -> None:
    answer = api.generic(method, f"/api/v1/{path}", b"{}", content_type=JSON)
    assert_refused(answer, 405, "method_not_allowed", None)
    assert sorted(answer.headers["Allow"].split(", ")) == allow.split(", ")


def test_a_refusal_leaves_no_dead_letter(api: Client) -> None:
    """Only what may be right later (an item to come) waits; what is wrong is the sender's to mend."""
    api.post("/api/v1/events", of(user_id=""), content_type=JSON)
    assert not DeadLetter.objects.exists()
