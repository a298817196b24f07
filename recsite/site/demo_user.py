"""Who looks at the site: a demo user chosen at sign-in, the site's own account, or an anonymous visitor."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from interactions.privacy_signals import refuses_tracking
from recommender import visitor

SESSION_KEY = "recsite_demo_user_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The person for whom a page is made."""

    user_id: str
    """The recommender's id; "" for one who has not acted yet, and for one who refuses tracking."""
    own_id: str
    """The same also when he refuses tracking: what he may take away or have erased; "" before his first act."""
    name: str
    """What the page calls him; "" when he is anonymous."""
    refuses_tracking: bool
    is_demo_user: bool


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who is looking. Writes nothing."""
    refuses = refuses_tracking(request)
    demo_user_id = _demo_user_id(request)
    if demo_user_id:
        own_id, name = demo_user_id, demo_user_id
    else:
        own_id = visitor.user_id_of(request.user) or visitor.visitor_id(request)
        name = request.user.get_username() if request.user.is_authenticated else ""
    return Viewer(
        user_id="" if refuses else own_id,
        own_id=own_id,
        name=name,
        refuses_tracking=refuses,
        is_demo_user=bool(demo_user_id),
    )


def acting_user_id(request: HttpRequest) -> str:
    """Return under which id an act is recorded; an anonymous visitor gets his id now. "" when tracking is refused."""
    viewer = viewer_of(request)
    if viewer.refuses_tracking:
        return ""
    return viewer.user_id or visitor.ensure_visitor_id(request)


def sign_in(request: HttpRequest, user_id: str) -> None:
    """Browse as the demo user `user_id` from now on; the caller has checked that there is one."""
    request.session[SESSION_KEY] = user_id


def sign_out(request: HttpRequest) -> None:
    """Forget the demo user and the visitor id: the next act is a new visitor's."""
    request.session.pop(SESSION_KEY, None)
    request.session.pop(visitor.SESSION_KEY, None)


def _demo_user_id(request: HttpRequest) -> str:
    return str(request.session.get(SESSION_KEY, "")) if settings.DEMO_SITE else ""
