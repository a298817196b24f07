"""What the product is compared with: DRF views that do the least that any answer must do, behind the same door."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import connection
from django.urls import URLPattern, URLResolver, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.redis_store import client, key
from recsite.urls import handler400, handler403, handler404, handler500
from recsite.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class BareListView(APIView):
    """One Redis pipeline of three commands, and a body of the same size."""

    required_scopes: ClassVar = {"GET": "read"}
    body: ClassVar[dict[str, Any]] = {}

    def get(self, request: Request) -> Response:
        """Answer `body`."""
        pipe = client().pipeline(transaction=False)
        for name in ("a", "b", "c"):
            pipe.get(key("bare", name))
        pipe.execute()
        return Response(self.body)


class BareInsertView(APIView):
    """One committed INSERT of one row."""

    required_scopes: ClassVar = {"POST": "events"}
    row: ClassVar[tuple[int, int, int]] = (0, 0, 0)
    """User, item and event type, by primary key."""

    def post(self, request: Request) -> Response:
        """Insert a row into the events' own table."""
        now = datetime.now(UTC)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, received_at)
                VALUES (%s, %s, %s, %s, %s, %s)
                """,
                [uuid.uuid4(), now, *self.row, now],
            )
        return Response({"accepted": 1}, status=202)


urlpatterns: list[URLPattern | URLResolver] = [
    path("bare/list", BareListView.as_view()),
    path("bare/insert", BareInsertView.as_view()),
    *site,
]
