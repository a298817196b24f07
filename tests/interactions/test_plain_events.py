from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.api.errors import ApiError
from interactions import plain_events
from interactions.contracts import EventInput
from interactions.identity import EPOCH
from interactions.validation import LARGEST_EVENT_BYTES, ParsedBody, ParsedEvent, _parse_strictly, parse_events

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATEST = NOW + timedelta(hours=24)
ID = "6f1c2f0e-9d1c-4c3e-8f55-0123456789ab"
PLAIN = {"user_id": "ann", "item_id": "heat", "event_type": "click"}

thorough = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)


def read(events: list[dict[str, Any]]) -> list[EventInput] | None:
    return plain_events.read_many(json.dumps(events).encode(), EPOCH, LATEST)


def test_reads_columns_of_which_each_event_has_some() -> None:
    everything = {
        **PLAIN,
        "timestamp": "2026-03-01T12:00:00.25+02:00",
        "value": -0.0,
        "event_id": ID.upper(),
        "context": {"source": "home", "place": 3, "share": 0.5, "is_first": True, "nothing": None},
        "request_id": "00000000-0000-0000-0000-000000000007",
    }
    nulls = {**PLAIN, **dict.fromkeys(["timestamp", "value", "event_id", "context", "request_id"])}
    later = {**PLAIN, "user_id": "bob", "timestamp": "2026-03-02T12:00:00Z", "value": 4, "context": {}}
    found = read([PLAIN, everything, nulls, later])
    assert found == [
        EventInput("ann", "heat", "click"),
        EventInput(
            "ann",
            "heat",
            "click",
            datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2))),
            UUID(ID),
            0.0,
            {"source": "home", "place": 3, "share": 0.5, "is_first": True, "nothing": None},
            UUID(int=7),
        ),
        EventInput("ann", "heat", "click"),
        EventInput("bob", "heat", "click", LATEST, None, 4.0, {}),
    ]
    assert found is not None
    assert [event.occurred_at and event.occurred_at.tzinfo for event in found] == [None, UTC, None, UTC]
    assert str(found[1].value) == "0.0"
    assert read([]) == []
    assert plain_events.read_one(json.dumps(everything).encode(), EPOCH, LATEST) == found[1]


@pytest.mark.parametrize(
    "raw",
    [
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "user_id": "ann"}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "x": 1}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "context": {"a": 1, "a": 1}}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "context": {"a": [1]}}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "context": {"a": 9223372036854775808}}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "value": 9223372036854775808}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "value": true}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "timestamp": "2026-03-02T12:00:01Z"}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "timestamp": "1969-12-31T23:59:59Z"}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "timestamp": "2026-02-30T00:00:00Z"}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "click", "event_id": "6f1c2f0e9d1c4c3e8f550123456789ab"}',
        '{"user_id": "ann", "item_id": "heat", "event_type": "cl\\u0069ck"}',
        '{"user_id": "ann", "item_id": "heat"}',
        '{"user_id": "", "item_id": "heat", "event_type": "click"}',
        '{"user_id": "nuLL", "item_id": "heat", "event_type": "click"}',
        '{"user_id": "ann", "item_id": "00-0", "event_type": "click"}',
        '{"user_id": "ann", "item_id": "a b", "event_type": "click"}',
        '{"user_id": "' + "x" * 201 + '", "item_id": "heat", "event_type": "click"}',
    ],
)
def test_leaves_what_is_not_certain_to_others(raw: str) -> None:
    assert plain_events.read_one(raw.encode(), EPOCH, LATEST) is None
    good = json.dumps(PLAIN)
    assert plain_events.read_many(f"[{good}, {raw}, {good}]".encode(), EPOCH, LATEST) is None
    assert (
        plain_events.read_many(f"[{good}, {good}]".encode(), EPOCH, LATEST) == [EventInput("ann", "heat", "click")] * 2
    )


Outcome = list[object] | tuple[object, ...]


def judged(entries: list[ParsedEvent]) -> list[object]:
    return [
        (entry.event, str(entry.event.value), entry.warning) if entry.event is not None else shown(entry.error)
        for entry in entries
    ]


def shown(error: ApiError | None) -> tuple[object, ...]:
    assert error is not None
    return error.code, error.message, error.field


def outcome(parse: Callable[..., ParsedBody], body: bytes) -> Outcome:
    """Return the judgement of each event, or that of the whole body."""
    try:
        return judged(parse(body, now=NOW).entries)
    except ApiError as error:
        return shown(error)


def alone(raw: str) -> object:
    """Return what reading the one event strictly comes to."""
    found = outcome(_parse_strictly, raw.encode())
    return found[0] if isinstance(found, list) else found


def quoted(*texts: str) -> list[str]:
    return [json.dumps(text) for text in texts]


ANYTHING = ["null", "true", "7", "-1.5", "[]", "{}", '{"a": 1}', "[[{}]]", '""', '"x"', r'"\u0000"', r'"\ud800"']
IDS = quoted("ann", "b@c.d", "0", "000", "0000", "0-0-0", "None", "nan", "nano", "Zoë", "a b", " a", "a\t", "x" * 201)
IDS += [*quoted("x" * 200, "\u202e", "\ud800", "\0"), r'"\u0061nn"', '"用户"']
TIMES = quoted("2026-03-01T12:00:00Z", "2026-03-01T12:06:00+00:00", "2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z")
TIMES += quoted("2026-03-01t11:00:00.123456789z", "2026-03-01 11:00:00Z", "2026-03-01T12:00:00", "2016-12-31T23:59:60Z")
TIMES += quoted("1969-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2026-03-01T11:00:00.5-03:30", "", "1700000000")
TIMES += quoted("2026-03-01T11:00:00+0200", "٢٠٢٦-03-01T11:00:00Z", "2026-03-01T11:00:00+24:00")
NUMBERS = ["0", "-0", "-0.0", "4.5", "1e3", "1e300", "9007199254740993", "9223372036854775807", "9223372036854775808"]
NUMBERS += ["-9223372036854775808", "-9223372036854775809", "1e999", "9" * 400, '"4"', "0.1", "123456789.123456789e-3"]
UUIDS = quoted(ID, ID.upper(), ID.replace("-", ""), f"urn:uuid:{ID}", f"{{{ID}}}", "", ID + "0")
CONTEXTS = ['{"a": "b"}', '{"a": 1, "a": 2}', '{"a": "b", "c": {"a": 1}}', r'{"a": "\""}', '{"é": "é"}', '{"a": 1e999}']
CONTEXTS += ['{"a": ' + number + "}" for number in NUMBERS] + ['{"user_id": "ann"}', '{"events": "events"}', '{"": ""}']
VALUES = {
    "user_id": IDS,
    "item_id": IDS,
    "event_type": quoted("click", "", "Zoë", "x" * 300),
    "timestamp": TIMES,
    "value": NUMBERS,
    "event_id": UUIDS,
    "context": CONTEXTS,
    "request_id": UUIDS,
    "x": ANYTHING,
    r"user\u005fid": IDS,
}


@st.composite
def events(draw: st.DrawFn) -> str:
    """Return the text of an event that is well-formed JSON, and mostly right."""
    pairs = [(name, json.dumps(text)) for name, text in PLAIN.items()]
    for name in draw(st.lists(st.sampled_from(list(VALUES)), max_size=4)):
        pool = VALUES[name] if draw(st.integers(0, 9)) else ANYTHING
        pairs.insert(draw(st.integers(0, len(pairs))), (name, draw(st.sampled_from(pool))))
    if draw(st.booleans()):
        pairs = list({name: (name, value) for name, value in pairs}.values())
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n\t", "\r : ")]))
    return "{" + comma.join(f'"{name}"{colon}{value}' for name, value in pairs) + "}"


@given(st.lists(events().filter(lambda raw: r"\ud800" not in raw), max_size=6))
@thorough
def test_a_batch_is_judged_as_each_of_its_events_strictly_alone(raws: list[str]) -> None:
    expected = [alone(raw) for raw in raws]
    assert outcome(parse_events, ('{"events": [' + " , ".join(raws) + "]}").encode()) == expected


@given(events())
@thorough
def test_a_single_event_is_judged_as_strictly(raw: str) -> None:
    expected = alone(raw)
    for found in (outcome(parse_events, raw.encode()), outcome(parse_events, f'{{"events":[{raw}]}}'.encode())):
        assert found in (expected, [expected])


@given(
    st.lists(
        st.tuples(st.sampled_from(["events", "sent_at", "a", r"\u0065vents", "user_id"]), st.sampled_from(ANYTHING)),
        max_size=3,
    ),
    st.integers(0, 3),
    st.booleans(),
)
@thorough
def test_what_stands_beside_the_events_is_judged_strictly(
    beside: list[tuple[str, str]], place: int, is_escaped: bool
) -> None:
    event = json.dumps({**PLAIN, "context": {"a": '"' if is_escaped else "b"}})
    pairs = [*beside[:place], ("events", f"[{event}, {event}]"), *beside[place:]]
    body = ("{" + ", ".join(f'"{name}": {value}' for name, value in pairs) + "}").encode()
    assert outcome(parse_events, body) == outcome(_parse_strictly, body)


@given(st.lists(st.binary(max_size=3), max_size=3), st.data())
@thorough
def test_a_damaged_body_is_refused_or_read_as_strictly(insertions: list[bytes], data: st.DataObject) -> None:
    body = json.dumps({"events": [{**PLAIN, "value": 4.5, "context": {"a": "b"}}] * 2}).encode()
    for inserted in insertions:
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + inserted + body[at + data.draw(st.integers(0, 2)) :]
    found, expected = outcome(parse_events, body), outcome(_parse_strictly, body)
    if isinstance(found, list) and isinstance(expected, tuple):
        # What is refused as a whole when read as a whole is refused alone where it could be cut.
        assert expected[0] in {judgement[0] for judgement in found if isinstance(judgement, tuple)}
    else:
        assert found == expected


def test_one_event_that_is_too_large_does_not_hide_among_the_others() -> None:
    large = json.dumps(PLAIN)[:-1] + " " * LARGEST_EVENT_BYTES + "}"
    body = '{"events": [' + ", ".join([json.dumps(PLAIN), large, json.dumps(PLAIN)]) + "]}"
    entries = parse_events(body.encode(), now=NOW).entries
    assert [entry.error and entry.error.code for entry in entries] == [None, "event_too_large", None]
