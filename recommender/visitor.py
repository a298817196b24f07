"""Who is looking at a page, as the recommender knows him.

A site account is known by the id of its linked profile, else by its primary key; everybody else by a random id that
is put into the session when he first does something. A browser that asks not to be tracked has no id at all.
"""

from __future__ import annotations

import uuid

from django.http import HttpRequest

from interactions.privacy_signals import refuses_tracking

SESSION_KEY = "recommender_visitor_id"


def user_id_of(user: object, request: HttpRequest | None = None) -> str:
    """Return the recommender's id of `user`; "" when there is none yet, or when the browser refuses tracking.

    Parameters
    ----------
    user
        A Django user (or AnonymousUser), an external user id, an object with a `user_id`, or None.
    request
        Where an anonymous visitor's id and the browser's wishes are read from.

    Raises
    ------
    TypeError
        `user` is none of these.
    """
    if request is not None and refuses_tracking(request):
        return ""
    if user is None or user == "" or getattr(user, "is_anonymous", False):
        return visitor_id(request)
    if isinstance(user, str):
        return user
    if getattr(user, "is_authenticated", False):
        profile = getattr(user, "recommender_profile", None)
        return str(profile.user_id if profile is not None else getattr(user, "pk", ""))
    user_id = getattr(user, "user_id", None)
    if isinstance(user_id, str):
        return user_id
    raise TypeError(f"Expected a Django user, a user id or an object with a user_id, not {user!r}.")


def visitor_id(request: HttpRequest | None) -> str:
    """Return the session's visitor id, "" when it has none."""
    session = getattr(request, "session", None)
    return "" if session is None else str(session.get(SESSION_KEY, ""))


def ensure_visitor_id(request: HttpRequest) -> str:
    """Return the session's visitor id, made now when it has none."""
    if SESSION_KEY not in request.session:
        request.session[SESSION_KEY] = f"visitor-{uuid.uuid4()}"
    return visitor_id(request)
