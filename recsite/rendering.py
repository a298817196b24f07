"""JSON out: orjson, which knows numpy, UUID and datetime, and no negotiation, since there is only JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z
INT64 = 2**63


class OrjsonRenderer(BaseRenderer):
    """Render to UTF-8 JSON. Non-finite floats become null, a datetime RFC 3339 with offset."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the document, or nothing at all for an answer without a body (204)."""
        if data is None:
            return b""
        try:
            return orjson.dumps(data, option=OPTIONS)
        except TypeError:
            # What it has of whole numbers beyond 64 bits comes as an error; anything else is raised again.
            return orjson.dumps(_within_64_bits(data), option=OPTIONS)


def _within_64_bits(data: Any) -> Any:
    """Return `data` with larger whole numbers as floats, those beyond floats as text.

    Postgres keeps the 1e300 of somebody's `attributes` or `preferences` as a whole number of 301 digits.
    """
    if isinstance(data, dict):
        return {name: _within_64_bits(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_within_64_bits(value) for value in data]
    if isinstance(data, int) and not isinstance(data, bool) and not -INT64 <= data < INT64:
        try:
            return float(data)
        except OverflowError:
            return str(data)
    return data


class JsonOnly(BaseContentNegotiation):
    """Answer in the view's first format whatever `Accept` says: an error must be readable to every client."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer and its media type."""
        first = next(iter(renderers))
        return first, str(first.media_type)
