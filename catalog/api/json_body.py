"""From the bytes of a request to checked JSON, with an exact complaint about whatever is wrong.

`decode` refuses the whole body; a batch that wants to refuse single entries takes `parse` and asks `fault` for each.
What is refused here, and not by the standard parser: more than 2 MB or 32 levels, a key given twice, NaN and numbers
no column can hold, and the NUL characters and lone surrogates that Postgres cannot store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import UnreadablePostError

from catalog.api.errors import ApiError

LARGEST_BYTES = 2 * 1024 * 1024
DEEPEST = 32
INT64 = 2**63
EMPTY = "Request body is empty; send a JSON object."

Path = tuple[str | int, ...]


class _Unholdable:
    """Stands for a number that no column can hold until `fault` names its field."""

    __slots__ = ("code", "text")

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text


class _KeyTwice(Exception):
    pass


def decode(request: Any) -> Any:
    """Return the JSON value of the request's body (Django's request or the REST framework's).

    Raises
    ------
    ApiError
        Codes: media_type_unsupported, encoding_unsupported, length_required, body_too_large, body_empty,
        encoding_invalid, json_invalid, json_too_deep, key_duplicate, number_invalid, number_out_of_range, string_nul,
        string_surrogate.
    """
    value = parse(request)
    found = fault(value)
    if found is not None:
        raise found
    return value


def decode_object(request: Any) -> dict[str, Any]:
    """Return the body's JSON object. Raises what `decode` raises, and `body_type` for anything but an object."""
    return as_object(decode(request))


def as_object(value: Any) -> dict[str, Any]:
    """Return `value` when it is a JSON object. Raises `body_type` otherwise."""
    if not isinstance(value, dict):
        raise ApiError("body_type", f"Expected an object, got {type_name(value)}.")
    return value


def parse(request: Any) -> Any:
    """Return the body's JSON value; its numbers and strings are unchecked until `fault` has seen them.

    Raises
    ------
    ApiError
        As `decode`, without number_invalid, number_out_of_range, string_nul and string_surrogate.
    """
    return loads(read(request))


def read(request: Any) -> bytes:
    """Return the body of a request that states JSON and a length within the limit."""
    meta = request.META
    length = meta.get("CONTENT_LENGTH") or ""
    if not length and meta.get("HTTP_TRANSFER_ENCODING"):
        raise ApiError("length_required", "Send the body with a Content-Length.", status=411)
    size = int(length) if length.isdecimal() else 0
    if not size:
        raise ApiError("body_empty", EMPTY)
    if size > LARGEST_BYTES:
        raise ApiError("body_too_large", f"Limit is 2 MB (got {size / 1024 / 1024:.1f} MB).", status=413)
    media_type = meta.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        received = media_type or "none"
        raise ApiError("media_type_unsupported", f"Send Content-Type: application/json, not {received}.", status=415)
    if encoding := meta.get("HTTP_CONTENT_ENCODING", ""):
        raise ApiError(
            "encoding_unsupported", f"Content-Encoding {encoding!r} is not taken; send the body plain.", status=415
        )
    try:
        body: bytes = getattr(request, "_request", request).body
    except UnreadablePostError as error:
        raise ApiError("body_incomplete", "The connection ended before the body did.") from error
    if not body.strip():
        raise ApiError("body_empty", EMPTY)
    return body


def loads(body: bytes) -> Any:
    """Return the JSON value of UTF-8 bytes, its nesting and its keys checked."""
    try:
        if json.detect_encoding(body) not in ("utf-8", "utf-8-sig"):
            raise ApiError("encoding_invalid", "Body must be UTF-8.")
        return _checked_depth(
            json.loads(
                body.decode("utf-8-sig"),
                object_pairs_hook=_unique_keys,
                parse_constant=_constant,
                parse_float=_float,
                parse_int=_integer,
            )
        )
    except UnicodeDecodeError as error:
        raise ApiError("encoding_invalid", f"Body must be UTF-8 (byte {error.start} is not).") from error
    except json.JSONDecodeError as error:
        message = f"Invalid JSON at line {error.lineno} column {error.colno}: {error.msg}."
        raise ApiError("json_invalid", message) from error
    except _KeyTwice as error:
        raise ApiError("key_duplicate", f"{error} appears twice.", field=str(error)) from error
    except RecursionError as error:
        raise _too_deep() from error


def fault(value: Any) -> ApiError | None:
    """Return what is wrong with the first unusable string or number within `value`, None when all can be stored."""
    for path, leaf in _leaves(value):
        if isinstance(leaf, _Unholdable):
            code, complaint = leaf.code, f"is {leaf.text}, which is not a finite 64-bit number"
        elif "\0" in leaf:
            code, complaint = "string_nul", "contains a NUL character"
        elif not leaf.isascii() and _has_surrogate(leaf):
            code, complaint = "string_surrogate", "contains a lone surrogate, which is no character"
        else:
            continue
        index, field = _address(path)
        shown = field or "The value"
        return ApiError(code, f"{shown} {complaint}.", field=field or None, index=index)
    return None


def type_name(value: Any) -> str:
    """Return the JSON name of a value's type, for messages."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _leaves(root: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the strings (keys too) and unholdable numbers below `root` with their paths."""
    waiting: list[tuple[Path, Any]] = [((), root)]
    for path, value in waiting:
        if isinstance(value, dict):
            for name, child in value.items():
                yield path, name
                waiting.append(((*path, name), child))
        elif isinstance(value, list):
            waiting.extend(((*path, position), child) for position, child in enumerate(value))
        elif isinstance(value, str | _Unholdable):
            yield path, value


def _address(path: Path) -> tuple[int | None, str]:
    """Return the batch index and the field's name of a path: `events, 3, context, a` → 3, `context.a`."""
    index = None
    match path:
        case ("events" | "items", int(position), *rest):
            index, path = position, tuple(rest)
        case (int(position), *rest):
            index, path = position, tuple(rest)
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return index, name.removeprefix(".").encode("ascii", "backslashreplace").decode().replace("\0", "\\0")


def _checked_depth(root: Any) -> Any:
    level = [root]
    for _ in range(DEEPEST):
        level = [
            child
            for container in level
            if isinstance(container, dict | list)
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return root
    raise _too_deep()


def _too_deep() -> ApiError:
    return ApiError("json_too_deep", f"Nesting is limited to {DEEPEST} levels.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _KeyTwice(name.encode("ascii", "backslashreplace").decode()[:100])
            seen.add(name)
    return mapping


def _constant(text: str) -> _Unholdable:
    return _Unholdable("number_invalid", text)


def _float(text: str) -> float | _Unholdable:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return _Unholdable("number_invalid", text[:30])
    return number


def _integer(text: str) -> int | _Unholdable:
    # The length first: Python refuses to convert more than 4,300 digits.
    if len(text) > 20 or not -INT64 <= int(text) < INT64:
        return _Unholdable("number_out_of_range", text[:20] + ("…" if len(text) > 20 else ""))
    return int(text)


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
