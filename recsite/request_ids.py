"""What an answer, the log and whoever asks about them call one request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def request_id(request: Any) -> str:
    """Return the request's id, made on first use. Takes Django's request or the REST framework's."""
    plain = getattr(request, "_request", request)
    if not hasattr(plain, "recsite_request_id"):
        plain.recsite_request_id = str(uuid4())
    return str(plain.recsite_request_id)
