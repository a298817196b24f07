"""Who is refused first when more is asked than one process can answer: exports, then bulk, then clicks, lists never.

A process has WEB_THREADS threads; what finds none free waits in the server's queue, lists as well as exports. So less
urgent requests may take only some of the threads, and are turned away at once where those are taken: the queue is
worked off by lists. What is turned away is told when to come again.

A process that reads a new model stops for a moment, and then has all its threads full of what came meanwhile: that is
no overload. Only a queue that stands is (`Share.standing`), as in CoDel (Nichols and Jacobson, "Controlling queue
delay", ACM Queue 10(5), 2012; for servers: Maurer, "Fail at scale", ACM Queue 13(8), 2015).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from prometheus_client import Counter

from recsite import errors
from recsite.request_ids import request_id

RETRY_AFTER_SECONDS = 2
SMALL_BODY = 16_384
"""Bytes: what a person does comes as one event or a few; what is larger comes from a machine, which can wait."""

SHED = Counter("recsite_shed_requests", "Requests refused because too many were under way, by class.", ["kind"])


@dataclass(frozen=True, slots=True)
class Share:
    """What part of the threads a class of requests may have."""

    own: float
    """Taken by itself."""
    busy: float
    """Taken by anybody for `standing`: then it is refused, however few it has."""
    standing: float
    """Seconds."""


SHARES = {
    "events": Share(own=0.75, busy=0.75, standing=3.0),
    "bulk": Share(own=0.25, busy=0.625, standing=1.0),
    "other": Share(own=0.25, busy=0.625, standing=1.0),
}
"""By class, the more urgent first. A body that comes slowly holds its thread, so all together leave some of them free.
Lists and pages are in none: somebody looks at an empty place meanwhile."""
LISTS = ("/api/v1/recommendations/", "/api/v1/similar/", "/api/v1/pages/", "/recommender/late")
EVENTS = "/api/v1/events"
WATCHED = ("/livez", "/readyz", "/metrics")
"""Whoever asks these decides what happens to this process: they are answered whatever happens."""


def kind_of(request: HttpRequest) -> str:
    """Return the class of a request, "" for what is never refused."""
    path = request.path_info
    is_api = path.startswith(errors.API_PREFIX)
    if path in WATCHED or path.startswith(LISTS) or (not is_api and request.method in ("GET", "HEAD")):
        return ""
    if is_api and path != EVENTS:
        return "other"
    # What a person does on a page of the site is as urgent as the event that it becomes.
    length = request.META.get("CONTENT_LENGTH") or "0"
    return "events" if length.isdecimal() and int(length) <= SMALL_BODY else "bulk"


class OverloadMiddleware:
    """Counts what is under way in this process, and refuses what may have no more of it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._lock = threading.Lock()
        self._under_way = 0
        self._by_kind = dict.fromkeys(("", *SHARES), 0)
        self._busy_since: dict[str, float] = {}
        """By class, the `time.monotonic` since when more threads are taken than leave room for it."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        kind = kind_of(request)
        if not self._enter(kind):
            return _refusal(request, kind)
        try:
            return self.get_response(request)
        finally:
            with self._lock:
                self._count(kind, -1)

    def _enter(self, kind: str) -> bool:
        with self._lock:
            share = SHARES.get(kind)
            if share is not None:
                # One of each kind is let in where there is little else: a share of few threads may be none.
                own = max(1, int(share.own * settings.WEB_THREADS))
                stands = time.monotonic() - self._busy_since.get(kind, math.inf) >= share.standing
                if stands or self._by_kind[kind] >= own:
                    return False
            self._count(kind, 1)
            return True

    def _count(self, kind: str, change: int) -> None:
        self._under_way += change
        self._by_kind[kind] += change
        for name, share in SHARES.items():
            if self._under_way < max(1, int(share.busy * settings.WEB_THREADS)):
                self._busy_since.pop(name, None)
            else:
                self._busy_since.setdefault(name, time.monotonic())


def _refusal(request: HttpRequest, kind: str) -> HttpResponseBase:
    SHED.labels(kind).inc()
    errors.take_rest_of_body(request)
    message = "Too much is asked of this server now; please come again."
    headers = {
        "Retry-After": str(RETRY_AFTER_SECONDS),
        "X-Request-Id": request_id(request),
        "Cache-Control": "no-store",
    }
    document = errors.body(request, "overloaded", message)
    answer = JsonResponse(document, status=HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
    # Django's middleware that says how long an answer is comes after this one.
    answer.headers["Content-Length"] = str(len(answer.content))
    return answer
