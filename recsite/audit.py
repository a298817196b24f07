"""Who has changed what in admin: each write is one transaction that says whose it is, and triggers note the rows.

The triggers (migration 0002) note what any statement of that transaction does, however it was made; the notes
themselves can be neither changed nor deleted. An answer that is an error takes everything back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase

READS = ("GET", "HEAD", "OPTIONS", "TRACE")
ERRORS = 400
"""HTTP's codes from here on."""

View = Callable[..., HttpResponseBase]


class AuditMiddleware:
    """Stands after authentication. A site without Django's admin is left alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Answer a write in admin."""
        match = request.resolver_match
        if request.method in READS or match is None or "admin" not in match.app_names:
            return None
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('recsite.actor', %s, true)", [request.user.get_username()])
            response = view(request, *arguments, **named)
            if response.status_code >= ERRORS:
                transaction.set_rollback(True)
        return response
