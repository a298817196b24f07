"""Django's middleware of people with a browser, which the API goes past: it knows keys, no sessions and no cookies."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import csrf, gzip
from django.utils.deprecation import MiddlewareMixin

from recsite.errors import API_PREFIX


class SiteOnly(MiddlewareMixin):
    """Hands a request of the API on as it came."""

    def __call__(self, request: HttpRequest) -> Any:
        """Answer it."""
        return self.get_response(request) if request.path.startswith(API_PREFIX) else super().__call__(request)


class SessionMiddleware(SiteOnly, sessions.SessionMiddleware):
    """Sessions of the site and the admin."""


class CsrfViewMiddleware(SiteOnly, csrf.CsrfViewMiddleware):
    """Forms of the site and the admin; a view of the API cannot be reached with a cookie."""


class AuthenticationMiddleware(SiteOnly, auth.AuthenticationMiddleware):
    """Who is signed in."""


class GZipMiddleware(SiteOnly, gzip.GZipMiddleware):
    """Pages a fifth as long on their way; of varying length, so that nobody can guess what is in them (BREACH)."""


class MessageMiddleware(SiteOnly, messages.MessageMiddleware):
    """What the admin tells him."""
