"""Pages of other origins may call the API where a publishable key says so; django-cors-headers writes the headers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from recsite import api_keys

API = "/api/"


def is_allowed(sender: Any, request: HttpRequest, **kwargs: Any) -> bool:
    """Tell whether a page of the request's origin may read the answer: receiver of `check_request_enabled`.

    Which key is for which origin is seen when the key itself arrives (`authentication.HasScope`); a browser's question
    beforehand has none.
    """
    origin = request.headers.get("Origin")
    return origin is not None and request.path_info.startswith(API) and origin in api_keys.origins()
