"""Who may call the API: `Authorization: Api-Key <key>`, the scopes a view asks for, and for whom a key may act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from catalog.api.errors import ApiError
from recsite import api_keys, rate_limits, user_signatures
from recsite.api_keys import VerifiedKey

if TYPE_CHECKING:
    # The framework's views import this module.
    from rest_framework.views import APIView

KEYWORD = "Api-Key"
NOT_FOR_PAGES = ("explain", "variant")
"""Parameters that tell, or choose, what visitors are not to see."""


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
            rate_limits.spend_of_address(request._request)
            raise AuthenticationFailed("This API key is not valid; send `Authorization: Api-Key <key>`.")
        return None, verified

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return KEYWORD


class HasScope(BasePermission):
    """Let a key pass that has the scope the view declares for the method in `required_scopes`.

    A method the view does not have passes, so that the answer is 405 and not 403. A publishable key passes only at
    views that say `for_pages`, which call `check_object_permissions` with the id of each user they act for.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise naming the scope that is missing."""
        key = request.auth
        if not isinstance(key, VerifiedKey):
            rate_limits.spend_of_address(request._request)
            raise NotAuthenticated("Send a key: `Authorization: Api-Key <key>`.")
        required: dict[str, str] = view.required_scopes  # type: ignore[attr-defined] # every view must declare them
        method = "GET" if request.method == "HEAD" else request.method
        scope = required.get(method or "")
        if scope is None:
            return True
        if scope not in key.scopes:
            held = ", ".join(sorted(key.scopes))
            raise PermissionDenied(f"{request.method} here needs the scope {scope!r}; this key has: {held}.")
        if key.is_publishable:
            self._check_page(request, view, key)
        return True

    def has_object_permission(self, request: Request, view: APIView, obj: str) -> bool:
        """Return True when the key may act for the user of the id `obj`, or raise saying what proves him.

        A secret key acts for anybody; of nobody in particular, "", there is nothing to prove.
        """
        key: Any = request.auth
        signature = request.headers.get(user_signatures.HEADER, "")
        if not obj or not key.is_publishable or user_signatures.proves(key.prefix, obj, signature):
            return True
        raise ApiError(
            "user_unproven",
            "A publishable key acts for an id that the browser has made (visitor- and a random UUID), or for one that "
            f"your server has signed in the header {user_signatures.HEADER}.",
            status=403,
            field="user_id",
        )

    def _check_page(self, request: Request, view: APIView, key: VerifiedKey) -> None:
        if not getattr(view, "for_pages", False):
            raise PermissionDenied("This needs a secret key; publishable ones are for lists and events.")
        origin = request.headers.get("Origin")
        # A browser always names another page's; what is no browser can say anything, and has to prove its user anyway.
        if origin is not None and origin not in key.origins:
            raise ApiError("origin_refused", f"This publishable key is not for pages of {origin[:200]!r}.", status=403)
        for name in NOT_FOR_PAGES:
            if name in request.query_params:
                raise PermissionDenied(f"{name} needs a secret key.")
