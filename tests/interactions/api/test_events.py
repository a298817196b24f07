from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connections

from interactions import features, recording
from interactions.models import DeadLetter, Event, UserProfile
from tests.interactions.api.conftest import Send

EVENT = {"user_id": "ann", "item_id": "heat", "event_type": "watch", "timestamp": "2026-01-01T00:00:00Z"}


def test_one_event_is_stored_and_answered_202(items: dict[str, int], send: Send) -> None:
    answer = send("POST", "events", EVENT)
    assert answer.status_code == 202
    expected: dict[str, Any] = {"accepted": 1, "duplicate": 0, "rejected": 0}
    assert answer.json() == {**expected, "results": [{"index": 0, "status": "accepted"}]}
    assert Event.objects.count() == 1
    again = send("POST", "events", EVENT)
    assert (again.status_code, again.json()["results"]) == (202, [{"index": 0, "status": "duplicate"}])
    assert Event.objects.count() == 1


def test_a_batch_gets_a_verdict_each(items: dict[str, int], send: Send) -> None:
    batch = [
        EVENT,
        EVENT,
        {**EVENT, "user_id": ""},
        {**EVENT, "item_id": "later"},
        {**EVENT, "event_type": "stare"},
        {**EVENT, "value": 1},
    ]
    answer = send("POST", "events", {"events": batch})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["duplicate"], body["rejected"]) == (2, 1, 3)
    assert [(result["index"], result["status"]) for result in body["results"]] == [
        (0, "accepted"),
        (1, "duplicate"),
        (2, "rejected"),
        (3, "rejected"),
        (4, "rejected"),
        (5, "accepted"),
    ]
    assert body["results"][2] == {
        "index": 2,
        "status": "rejected",
        "code": "id_invalid",
        "message": "user_id is empty.",
        "field": "user_id",
    }
    assert (body["results"][3]["code"], body["results"][3]["field"]) == ("item_unknown", "item_id")
    assert (body["results"][4]["code"], body["results"][4]["field"]) == ("event_type_unknown", "event_type")
    assert Event.objects.count() == 2
    assert DeadLetter.objects.get().item_id == "later"


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"user_id": 7}, 400, "type", "user_id"),
        ({"timestamp": "2026-01-01"}, 400, "timestamp_invalid", "timestamp"),
        ({"event_type": "stare"}, 400, "event_type_unknown", "event_type"),
        ({"event_id": "x"}, 400, "event_id_invalid", "event_id"),
    ],
)
def test_a_single_invalid_event_is_an_error(
    items: dict[str, int], send: Send, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    answer = send("POST", "events", EVENT | change)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"], error["index"]) == (status, code, field, None)
    assert not Event.objects.exists()


def test_a_single_conflicting_id_is_409(items: dict[str, int], send: Send) -> None:
    event_id = "6f1c2f0e-9d1c-4c3e-8f55-0123456789ab"
    assert send("POST", "events", EVENT | {"event_id": event_id}).status_code == 202
    answer = send("POST", "events", EVENT | {"event_id": event_id, "value": 3})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "id_conflict")


def test_a_single_orphan_is_kept_and_told_so(items: dict[str, int], send: Send) -> None:
    answer = send("POST", "events", EVENT | {"item_id": "later"})
    assert (answer.status_code, answer.json()["results"][0]["code"]) == (202, "item_unknown")
    assert DeadLetter.objects.count() == 1


def test_a_clock_that_is_ahead_is_warned_of(items: dict[str, int], send: Send) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = send("POST", "events", EVENT | {"timestamp": ahead})
    assert answer.json()["results"] == [{"index": 0, "status": "accepted", "warning": "clock_skew"}]


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status", "code"),
    [
        (b"", "application/json", {}, 400, "body_empty"),
        (b"{", "application/json", {}, 400, "json_invalid"),
        (b"[]", "application/json", {}, 400, "body_type"),
        (json.dumps({"events": [EVENT] * 1001}).encode(), "application/json", {}, 413, "too_many_events"),
        (b" " * (2 * 1024 * 1024 + 1), "application/json", {}, 413, "body_too_large"),
        (b"{}", "text/plain", {}, 415, "media_type_unsupported"),
        (b"{}", "application/json", {"Content-Encoding": "br"}, 415, "encoding_unsupported"),
    ],
)
def test_refuses_the_body_as_a_whole(
    items: dict[str, int],
    send: Send,
    body: bytes,
    content_type: str,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = send("POST", "events", body, content_type=content_type, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not Event.objects.exists()


def test_needs_the_scope_events(items: dict[str, int], send: Send) -> None:
    answer = send("POST", "events", EVENT, scopes=("read",))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")
    assert not Event.objects.exists()


def test_a_locked_table_is_503_and_nothing_is_stored(committed: dict[str, int], send: Send) -> None:
    send("POST", "events", EVENT)
    locker = connections.create_connection("default")
    try:
        with locker.cursor() as cursor, patch.object(recording, "write", _with_short_lock_timeout):
            cursor.execute("BEGIN; LOCK TABLE interactions_event")
            answer = send("POST", "events", EVENT | {"value": 2})
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) > 0
            cursor.execute("ROLLBACK")
    finally:
        locker.close()
    assert send("POST", "events", EVENT | {"value": 2}).json()["accepted"] == 1
    assert len(features.load("ann")[0].item_pks) == 2


_write = recording.write


def _with_short_lock_timeout(*arguments: Any) -> Any:
    with connections["default"].cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
        try:
            return _write(*arguments)
        finally:
            cursor.execute("RESET lock_timeout")


def test_a_withheld_consent_is_respected(items: dict[str, int], send: Send) -> None:
    UserProfile.objects.create(user_id="ann", consent="withheld")
    answer = send("POST", "events", EVENT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "consent_withheld")
    assert not Event.objects.exists()
