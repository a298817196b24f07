"""A strict Content-Security-Policy for the pages of this site.

Left out are the admin, whose theme evaluates strings, and the interactive API documentation, which brings its own
scripts. A view that has set the header itself keeps what it set.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' https: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
EXEMPT = ("/admin/", "/api/v1/docs")


class ContentSecurityPolicyMiddleware:
    """Add the policy to every answer outside `EXEMPT`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path.startswith(EXEMPT):
            response.headers.setdefault(HEADER, POLICY)
        return response
