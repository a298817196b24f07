"""The site with a bare view beside it, for a server that runs in a process of its own."""

from __future__ import annotations

import json
from typing import Any

from django.urls import URLPattern, URLResolver, path
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.redis_store import client, key
from recsite.urls import handler400, handler403, handler404, handler500
from recsite.urls import urlpatterns as site
from tests.benchmarks.bare_views import BareListView

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def answer_bare(body: dict[str, Any]) -> None:
    """Let the bare view of every server answer `body` from its first request on."""
    client().set(key("bare", "body"), json.dumps(body))


class BareView(BareListView):
    """The same, with a body that the benchmark has left in Redis; it is read once."""

    def get(self, request: Request) -> Response:
        """Answer it."""
        if not self.body:
            BareView.body = json.loads(client().get(key("bare", "body")))  # type: ignore[arg-type] # not awaitable
        return super().get(request)


urlpatterns: list[URLPattern | URLResolver] = [path("bare", BareView.as_view()), *site]
