"""Who may call the API: `Authorization: Api-Key <key>`, and the scopes a view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from recsite import api_keys
from recsite.api_keys import VerifiedKey

if TYPE_CHECKING:
    # The framework's views import this module.
    from rest_framework.views import APIView

KEYWORD = "Api-Key"


class ApiKeyAuthentication(BaseAuthentication):
    """Set `request.auth` to the `VerifiedKey`; `request.user` stays None, since a key is no person."""

    def authenticate(self, request: Request) -> tuple[None, VerifiedKey] | None:
        """Return the verified key, None without the header. One message for every wrong key."""
        header: str = request.META.get("HTTP_AUTHORIZATION", "")
        keyword, _, key = header.partition(" ")
        if not header:
            return None
        verified = api_keys.verify(key.strip()) if keyword.lower() == KEYWORD.lower() else None
        if verified is None:
            raise AuthenticationFailed("This API key is not valid; send `Authorization: Api-Key <key>`.")
        return None, verified

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return KEYWORD


class HasScope(BasePermission):
    """Let a key pass that has the scope the view declares for the method in `required_scopes`.

    A method the view does not have passes, so that the answer is 405 and not 403.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise naming the scope that is missing."""
        key = request.auth
        if not isinstance(key, VerifiedKey):
            raise NotAuthenticated("Send a key: `Authorization: Api-Key <key>`.")
        required: dict[str, str] = view.required_scopes  # type: ignore[attr-defined] # every view must declare them
        method = "GET" if request.method == "HEAD" else request.method
        scope = required.get(method or "")
        if scope is None:
            return True
        if scope not in key.scopes:
            held = ", ".join(sorted(key.scopes))
            raise PermissionDenied(f"{request.method} here needs the scope {scope!r}; this key has: {held}.")
        return True
