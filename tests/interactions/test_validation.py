from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st

from catalog.api.errors import ApiError
from interactions.contracts import EventInput
from interactions.validation import parse_events

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = '{"user_id": "ann", "item_id": "heat", "event_type": "click"'


def parse(body: str | bytes) -> list[Any]:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return parse_events(raw, now=NOW).entries


def refusal(body: str | bytes) -> tuple[str, str | None]:
    """Return code and field of the refusal of the whole body, or of its first event."""
    try:
        error = parse(body)[0].error
    except ApiError as whole:
        error = whole
    assert error is not None
    return error.code, error.field


def single(**fields: object) -> str:
    return json.dumps({"user_id": "ann", "item_id": "heat", "event_type": "click", **fields})


def test_reads_every_field() -> None:
    body = single(
        event_id="6F1C2F0E-9d1c-4c3e-8f55-0123456789ab",
        value=4,
        timestamp="2026-03-01T12:00:00.25+02:00",
        context={"source": "home", "n": [1, {"a": None}]},
        request_id="00000000-0000-0000-0000-000000000007",
        unknown="ignored",
    )
    parsed = parse_events(body.encode(), now=NOW)
    assert parsed.is_single
    assert parsed.entries[0].event == EventInput(
        "ann",
        "heat",
        "click",
        datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC),
        UUID("6f1c2f0e-9d1c-4c3e-8f55-0123456789ab"),
        4.0,
        {"source": "home", "n": [1, {"a": None}]},
        UUID(int=7),
    )


def test_a_missing_timestamp_is_left_to_the_recorder() -> None:
    assert parse(single())[0].event == EventInput("ann", "heat", "click")


def test_a_batch_keeps_its_order_and_judges_each_event() -> None:
    body = f'{{"events": [{single()}, 7, {single(user_id=5)}, {single(item_id="up")}], "more": 1}}'
    parsed = parse_events(body.encode(), now=NOW)
    assert not parsed.is_single
    assert [entry.event and entry.event.item_id for entry in parsed.entries] == ["heat", None, None, "up"]
    assert [entry.error and entry.error.code for entry in parsed.entries] == [None, "type", "type", None]


def test_an_empty_batch_has_no_entries() -> None:
    assert parse('{"events": []}') == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": 1,}', "json_invalid"),
        (b"{", "json_invalid"),
        (b"[1]", "body_type"),
        (b'"x"', "body_type"),
        (b"null", "body_type"),
        (b'{"user_id": "\xff"}', "encoding_invalid"),
        (PLAIN.encode("utf-16") + "}".encode("utf-16"), "encoding_invalid"),
        (b"[" * 5000 + b"]" * 5000, "json_too_deep"),
        (b"[" * 100_000, "json_too_deep"),
        (b'{"a":' * 100_000, "json_too_deep"),
        (b'{"events": {}}', "type"),
        (b'{"events": null}', "type"),
        (b'{"events": [], "events": []}', "key_duplicate"),
        (b'{"events": [' + b",".join([b"{}"] * 1001) + b"]}", "too_many_events"),
    ],
)
def test_refuses_the_body_as_a_whole(body: bytes, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse(body)
    assert caught.value.code == code


def test_names_line_and_column_of_malformed_json() -> None:
    with pytest.raises(ApiError, match="Invalid JSON at line 2 column 9"):
        parse('{"a": 1,\n "b": 2 x}')


def test_says_how_many_events_are_too_many() -> None:
    with pytest.raises(ApiError, match=r"Limit is 1,000 per request \(got 2,000\)") as caught:
        parse('{"events": [' + ",".join([single()] * 2000) + "]}")
    assert caught.value.status_code == 413


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (PLAIN + ', "value": NaN}', "number_invalid", "value"),
        (PLAIN + ', "value": -Infinity}', "number_invalid", "value"),
        (PLAIN + ', "value": 1e999}', "number_invalid", "value"),
        (PLAIN + ', "context": {"a": NaN}}', "number_invalid", "context.a"),
        (PLAIN + ', "value": ' + "9" * 5000 + "}", "number_out_of_range", "value"),
        (PLAIN + ', "value": 9223372036854775808}', "number_out_of_range", "value"),
        (PLAIN + ', "context": {"a": -9223372036854775809}}', "number_out_of_range", "context.a"),
        (PLAIN + r', "context": {"a": "x\u0000"}}', "string_nul", "context.a"),
        (PLAIN + r', "context": {"a": ["b", {"c": "\u0000"}]}}', "string_nul", "context.a[1].c"),
        (PLAIN + r', "context": {"a": "\ud800"}}', "string_surrogate", "context.a"),
        (r'{"user_id": "\udfff", "item_id": "heat", "event_type": "click"}', "string_surrogate", "user_id"),
        (PLAIN + ', "user_id": "bob"}', "key_duplicate", "user_id"),
        (PLAIN + ', "user_id" : "bob"}', "key_duplicate", "user_id"),
        (PLAIN + ', "context": {"a": 1, "a": 2}}', "key_duplicate", "a"),
        ('{"item_id": "heat", "event_type": "click"}', "field_required", "user_id"),
        ('{"user_id": "ann", "event_type": "click"}', "field_required", "item_id"),
        ('{"user_id": "ann", "item_id": "heat"}', "field_required", "event_type"),
        ("{}", "field_required", "user_id"),
        (single(user_id=None), "field_required", "user_id"),
        (single(user_id=7), "type", "user_id"),
        (single(user_id=True), "type", "user_id"),
        (single(item_id={}), "type", "item_id"),
        (single(event_type=[]), "type", "event_type"),
        (single(value="4"), "type", "value"),
        (single(value=True), "type", "value"),
        (single(context="x"), "type", "context"),
        (single(context=[]), "type", "context"),
        (single(event_id=7), "event_id_invalid", "event_id"),
        (single(event_id="urn:uuid:6f1c2f0e-9d1c-4c3e-8f55-0123456789ab"), "event_id_invalid", "event_id"),
        (single(event_id="6f1c2f0e9d1c4c3e8f550123456789ab"), "event_id_invalid", "event_id"),
        (single(event_id=""), "event_id_invalid", "event_id"),
        (single(request_id="x"), "request_id_invalid", "request_id"),
        (single(context={"a": "x" * 33_000}), "event_too_large", None),
        (PLAIN + ', "context": ' + '{"a":' * 40 + "1" + "}" * 41, "json_too_deep", None),
    ],
)
def test_refuses_an_event(body: str, code: str, field: str | None) -> None:
    assert refusal(body) == (code, field)
    assert refusal(f'{{"events": [{body}, {single()}]}}') == (code, field)


@pytest.mark.parametrize("body", [PLAIN + ', "value": NaN}', PLAIN + ', "user_id": "bob"}', single(user_id="")])
def test_a_bad_event_does_not_harm_its_neighbour(body: str) -> None:
    bad, good = parse(f'{{"events": [{body}, {single()}]}}')
    assert bad.event is None
    assert good.event == EventInput("ann", "heat", "click")


@pytest.mark.parametrize(
    "user_id",
    [
        "",
        "   ",
        " ann",
        "ann\n",
        "null",
        "undefined",
        "None",
        "NaN",
        "[object Object]",
        "0000",
        "00000000-0000-0000-0000-000000000000",
        "x" * 201,
        "an\tn",
        "an\u202en",
        "an\u200bn",
        "an\u2028n",
        "\ufeffann",
    ],
)
def test_refuses_what_is_no_id(user_id: str) -> None:
    assert refusal(single(user_id=user_id)) == ("id_invalid", "user_id")
    assert refusal(single(item_id=user_id)) == ("id_invalid", "item_id")


@pytest.mark.parametrize("user_id", ["0", "1", "ann@example.org", "Zoë", "用户 7", "a b", "x" * 200, "'; drop table"])
def test_takes_any_visible_id(user_id: str) -> None:
    assert parse(single(user_id=user_id))[0].event.user_id == user_id


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        ("2026-03-01T12:00:00", "timestamp_invalid"),
        ("2026-03-01", "timestamp_invalid"),
        (1_700_000_000, "timestamp_invalid"),
        ("1700000000", "timestamp_invalid"),
        ("2026-13-01T00:00:00Z", "timestamp_invalid"),
        ("2016-12-31T23:59:60Z", "timestamp_invalid"),
        ("2026-02-30T00:00:00Z", "timestamp_invalid"),
        ("0001-01-01T00:00:00+23:59", "timestamp_invalid"),
        ("20260301T120000Z", "timestamp_invalid"),
        ("", "timestamp_invalid"),
        (True, "timestamp_invalid"),
        ("2026-03-02T12:00:01Z", "timestamp_future"),
        ("9999-12-31T23:59:59Z", "timestamp_future"),
        ("1969-12-31T23:59:59Z", "timestamp_too_old"),
        ("0001-01-02T00:00:00Z", "timestamp_too_old"),
    ],
)
def test_refuses_a_timestamp(timestamp: object, code: str) -> None:
    assert refusal(single(timestamp=timestamp)) == (code, "timestamp")


@pytest.mark.parametrize("hours", [0, 24 * 30, 24 * 30 + 1])
def test_what_would_be_dropped_at_once_is_refused(settings: django_settings, hours: int) -> None:
    settings.INTERACTIONS_RETENTION_DAYS = 30
    aged = single(timestamp=(NOW - timedelta(hours=hours)).isoformat())
    batch = f'{{"events": [{aged}, {single()}]}}'
    verdicts = [entry.error.code if entry.error else "" for entry in parse(batch)]
    assert verdicts == ["timestamp_too_old" if hours > 24 * 30 else "", ""]
    assert (parse(aged)[0].error is None) == (hours <= 24 * 30)


@pytest.mark.parametrize(
    ("ahead", "warning"),
    [
        (timedelta(0), ""),
        (timedelta(minutes=5), ""),
        (timedelta(minutes=6), "clock_skew"),
        (timedelta(hours=24), "clock_skew"),
    ],
)
def test_warns_of_a_clock_that_is_ahead(ahead: timedelta, warning: str) -> None:
    (entry,) = parse(single(timestamp=(NOW + ahead).isoformat()))
    assert (entry.event.occurred_at, entry.warning) == (NOW + ahead, warning)


def test_takes_lower_case_and_nanoseconds() -> None:
    (entry,) = parse(single(timestamp="2026-03-01t11:00:00.123456789z"))
    assert entry.event.occurred_at == datetime(2026, 3, 1, 11, 0, 0, 123_456, tzinfo=UTC)


def test_minus_zero_is_zero() -> None:
    assert str(parse(PLAIN + ', "value": -0.0}')[0].event.value) == "0.0"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["user_id", "item_id", "event_type", "timestamp", "value", "event_id", "context", "request_id", "x"]
        ),
        json_values,
    )
)
def test_any_json_object_is_an_event_or_a_refusal(fields: dict[str, Any]) -> None:
    for body in (json.dumps(fields), json.dumps({"events": [fields]}), json.dumps(fields, indent=1, ensure_ascii=True)):
        (entry,) = parse(body)
        assert (entry.event is None) != (entry.error is None)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_refusal(body: bytes) -> None:
    try:
        entries = parse(body)
    except ApiError:
        return
    assert all((entry.event is None) != (entry.error is None) for entry in entries)
