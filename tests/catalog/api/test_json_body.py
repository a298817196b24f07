"""Every bad body gets its own code; a good one comes back as it was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import RequestFactory

from catalog.api import json_body
from catalog.api.errors import ApiError


def request(body: bytes, **meta: Any) -> Any:
    return RequestFactory().generic(
        "POST", "/", body, content_type=meta.pop("content_type", "application/json"), **meta
    )


def refusal(body: bytes, **meta: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        json_body.decode(request(body, **meta))
    return caught.value


def test_a_good_body_is_decoded() -> None:
    text = '{"a": [1, -2.5, "é\\u00e9", true, null], "b": {"c": "\\ud83d\\ude00"}}'
    assert json_body.decode(request(text.encode())) == {"a": [1, -2.5, "éé", True, None], "b": {"c": "😀"}}


def test_a_byte_order_mark_is_ignored() -> None:
    assert json_body.decode(request(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"a": tru}', "json_invalid", "Invalid JSON at line 1 column 7: Expecting value."),
        (b'{"a": 1', "json_invalid", "Invalid JSON at line 1 column 8: Expecting ',' delimiter."),
        (b'{"a": "\x00"}', "json_invalid", "Invalid JSON at line 1 column 8: Invalid control character at."),
        (b"", "body_empty", "Request body is empty; send a JSON object."),
        (b" \n", "body_empty", "Request body is empty; send a JSON object."),
        (b'{"a": "\xff"}', "encoding_invalid", "Body must be UTF-8 (byte 7 is not)."),
        ('{"a": 1}'.encode("utf-16"), "encoding_invalid", "Body must be UTF-8."),
        ('{"a": 1}'.encode("utf-16-le"), "encoding_invalid", "Body must be UTF-8."),
        (b"[" * 33 + b"]" * 33, "json_too_deep", "Nesting is limited to 32 levels."),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "json_too_deep", "Nesting is limited to 32 levels."),
        (b"[" * 100_000, "json_too_deep", "Nesting is limited to 32 levels."),
        (b'{"b": {"user_id": 1, "user_id": 2}}', "key_duplicate", "user_id appears twice."),
    ],
)
def test_a_broken_body_is_refused(body: bytes, code: str, message: str) -> None:
    error = refusal(body)
    assert (error.code, error.message, error.status_code) == (code, message, 400)


def test_thirty_two_levels_are_taken() -> None:
    assert json_body.decode(request(b"[" * 32 + b"]" * 32)) == json.loads("[" * 32 + "]" * 32)


@pytest.mark.parametrize(
    ("body", "code", "field", "index"),
    [
        (b'{"value": NaN}', "number_invalid", "value", None),
        (b'{"context": {"a": [1, -Infinity]}}', "number_invalid", "context.a[1]", None),
        (b'{"value": 1e999}', "number_invalid", "value", None),
        (b'{"value": ' + b"9" * 5000 + b"}", "number_out_of_range", "value", None),
        (b'{"value": 9223372036854775808}', "number_out_of_range", "value", None),
        (b'{"props": {"a": "x\\u0000"}}', "string_nul", "props.a", None),
        (b'{"events": [{}, {"context": {"a": "\\ud800"}}]}', "string_surrogate", "context.a", 1),
        (b'[{"item_id": "\\u0000"}]', "string_nul", "item_id", 0),
        (b'{"tags": ["fine", "\\udfff"]}', "string_surrogate", "tags[1]", None),
        (b'{"a\\u0000b": 1}', "string_nul", None, None),
        (b'"\\u0000"', "string_nul", None, None),
    ],
)
def test_what_no_column_can_hold_is_refused_by_its_place(
    body: bytes, code: str, field: str | None, index: int | None
) -> None:
    error = refusal(body)
    assert (error.code, error.field, error.index) == (code, field, index)


@pytest.mark.parametrize("number", [9223372036854775807, -9223372036854775808, 1.7976931348623157e308])
def test_the_largest_numbers_are_taken(number: float) -> None:
    assert json_body.decode(request(json.dumps(number).encode())) == number


def test_another_media_type_is_refused() -> None:
    error = refusal(b"a=1", content_type="application/x-www-form-urlencoded")
    assert (error.code, error.status_code) == ("media_type_unsupported", 415)
    assert error.message == "Send Content-Type: application/json, not application/x-www-form-urlencoded."


def test_a_charset_after_the_media_type_is_taken() -> None:
    assert json_body.decode(request(b"{}", content_type="application/json; charset=utf-8")) == {}


def test_a_compressed_body_is_refused() -> None:
    error = refusal(b"\x1f\x8b", HTTP_CONTENT_ENCODING="gzip")
    assert (error.code, error.status_code) == ("encoding_unsupported", 415)


def test_a_body_over_the_limit_is_refused_unread() -> None:
    announced = request(b"{}", CONTENT_LENGTH="10485760")
    with pytest.raises(ApiError) as caught:
        json_body.decode(announced)
    assert (caught.value.code, caught.value.status_code) == ("body_too_large", 413)
    assert caught.value.message == "Limit is 2 MB (got 10.0 MB)."
    assert not hasattr(announced, "_body")


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    body = b'"' + b"x" * (2 * 1024 * 1024 - 2) + b'"'
    assert json_body.decode(request(body)) == "x" * (2 * 1024 * 1024 - 2)


def test_a_body_without_length_is_refused() -> None:
    chunked = request(b"")
    chunked.META.pop("CONTENT_LENGTH", None)
    chunked.META["HTTP_TRANSFER_ENCODING"] = "chunked"
    with pytest.raises(ApiError) as caught:
        json_body.decode(chunked)
    assert (caught.value.code, caught.value.status_code) == ("length_required", 411)


@pytest.mark.parametrize(
    ("body", "name"),
    [(b"[]", "a list"), (b'"x"', "a string"), (b"null", "null"), (b"1", "a number"), (b"true", "a boolean")],
)
def test_anything_but_an_object_is_named(body: bytes, name: str) -> None:
    with pytest.raises(ApiError) as caught:
        json_body.decode_object(request(body))
    assert (caught.value.code, caught.value.message) == ("body_type", f"Expected an object, got {name}.")
