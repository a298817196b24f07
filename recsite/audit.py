"""Who has changed what in admin: each write is one transaction that says whose it is, and triggers note the rows.

The triggers (migration 0002) note what any statement of that transaction does, however it was made; the notes
themselves can be neither changed nor deleted. An answer that is an error takes everything back.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

READS = ("GET", "HEAD", "OPTIONS", "TRACE")


class AuditMiddleware:
    """Stands after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in READS or not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('recsite.actor', %s, true)", [request.user.get_username()])
            response = self.get_response(request)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response
