"""Where requests are counted: those of a key by the REST framework, those of whoever has none by a middleware."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from recsite import rate_limits
from recsite.api_keys import VerifiedKey
from recsite.errors import API_PREFIX
from recsite.rate_limits import RateLimited

if TYPE_CHECKING:
    # The framework's views import this module.
    from rest_framework.views import APIView


class KeyThrottle(BaseThrottle):
    """Counts a request with a key for the key, and one of a publishable key for the address, too."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Return True, or raise `RateLimited`."""
        found: Any = request.auth
        plain: HttpRequest = request._request
        if not isinstance(found, VerifiedKey):
            rate_limits.spend_of_address(plain)
            return True
        kind = "publishable" if found.is_publishable else "secret"
        if found.is_publishable:
            rate_limits.spend_of_visitor(plain, found.prefix)
        rate_limits.spend(f"key:{found.prefix}", found.rate or settings.RATE_LIMITS[kind])
        return True


class FormLimitMiddleware:
    """Counts what is sent to the site and the admin without a key: log-ins, acts, forms."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "POST" and not request.path.startswith(API_PREFIX):
            try:
                rate_limits.spend_of_address(request)
            except RateLimited as refusal:
                return HttpResponse(str(refusal.detail), status=429, content_type="text/plain", headers=refusal.headers)
        return self.get_response(request)
