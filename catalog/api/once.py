"""A request that is sent again under the same `Idempotency-Key` is answered as the first time, and does nothing.

The answer is kept in the transaction of what the request writes: both are there or neither. A refusal writes and
keeps nothing, so its key may be used again. Events that have an id, and items, are safe to send again without one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import orjson
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import json_body
from catalog.api.errors import ApiError
from catalog.models import AnsweredRequest

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotent-Replayed": "true"}
KEY = r"[ -~]{1,255}"
KEPT_FOR = timedelta(hours=24)


def once(request: Request, answer: Callable[[], Response]) -> Response:
    """Return what `answer` returns, or what it returned when this key came first.

    A key is known by whoever sends it: two API keys may use the same one.

    Raises
    ------
    ApiError
        idempotency_key_invalid (400), idempotency_key_reused (422: it came with another request),
        idempotency_key_in_use (409: the first request is under way); and what `answer` raises.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return answer()
    if re.fullmatch(KEY, key) is None:
        message = f"{HEADER} is 1 to 255 printable ASCII characters (got {len(key)} characters)."
        raise ApiError("idempotency_key_invalid", message)
    sender = getattr(request.auth, "prefix", "")
    name, asked = _digest(sender, key), _digest(request.path, json_body.read(request))
    with transaction.atomic():
        if not _is_ours(name):
            message = f"The first request with this {HEADER} is under way; please retry."
            raise ApiError("idempotency_key_in_use", message, status=409)
        kept = AnsweredRequest.objects.filter(name=name).first()
        if kept is None:
            response = answer()
            document = orjson.dumps(response.data).decode()
            AnsweredRequest.objects.create(name=name, asked=asked, status=response.status_code, answer=document)
            return response
    if kept.asked != asked:
        raise ApiError("idempotency_key_reused", f"This {HEADER} came with another request before.", status=422)
    return Response(orjson.loads(kept.answer), status=kept.status, headers=REPLAYED)


def forget_old() -> int:
    """Forget the answers that are older than a day; return how many."""
    return AnsweredRequest.objects.filter(answered_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def erase(user_id: str) -> int:
    """Forget the answers that name a person; return how many."""
    text = orjson.dumps(user_id).decode()
    return AnsweredRequest.objects.filter(Q(answer__contains=text) | Q(answer__contains=f"'{text[1:-1]}'")).delete()[0]


def _digest(*parts: str | bytes) -> str:
    hashed = sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        hashed.update(len(encoded).to_bytes(8, "big") + encoded)
    return hashed.hexdigest()


def _is_ours(name: str) -> bool:
    """Take the name until the transaction ends; return whether nobody else has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [int(name[:15], 16)])
        [[taken]] = cursor.fetchall()
    return bool(taken)
