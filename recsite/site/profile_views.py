"""What somebody may see and do about what is known of him: take back, pause, take away, erase."""

from __future__ import annotations

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import queries as catalogue
from interactions import profiles
from interactions.erasure import erase_user
from interactions.exporting import export
from interactions.retracting import retract
from recommender.carousel import UNAVAILABLE
from recsite.site import demo_user, quiz
from recsite.site.acts import ACTS
from recsite.site.history import newest_of, recent_deeds, without_glances
from recsite.site.pages import private, show

NEWEST = 12
"""Entries of the history that are shown at first."""
EVERYTHING = "everything"
"""In the place of an act: all that was done with an item."""


@private
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    """Show what is known of the viewer, each with a way to take it back."""
    viewer = demo_user.viewer_of(request)
    try:
        deeds = recent_deeds(viewer.user_id)
        known = profiles.summary(viewer.own_id) if viewer.own_id else None
        said, _ = quiz.answered(viewer.user_id)
    except UNAVAILABLE:
        return show(request, "profile.html", {"is_unavailable": True})
    history = without_glances(deeds)
    shown = history if "all" in request.GET else history[:NEWEST]
    context = {
        "deeds": shown,
        "is_shortened": len(shown) < len(history),
        "dismissed": newest_of(deeds, "not_interested"),
        "already_seen": newest_of(deeds, "already_seen"),
        "said": said,
        "known": known,
        "is_paused": known is not None and known["consent"] == "withheld",
    }
    return show(request, "profile.html", context)


@require_POST
def undo(request: HttpRequest, name: str, item_id: str) -> HttpResponse:
    """Forget that the viewer has done something with an item, or everything he has done with it."""
    act = ACTS.get(name)
    pk = catalogue.item_pk(item_id) if "\0" not in item_id else None
    if pk is None or (act is None and name != EVERYTHING):
        raise Http404(f"There is no act {name!r} on an item {item_id!r}.")
    own_id = demo_user.viewer_of(request).own_id
    forgotten = retract(own_id, pk, [act.event_type] if act else ()) if own_id else 0
    if forgotten:
        messages.success(request, "Taken back. It may be suggested to you again.")
    else:
        messages.warning(request, "There was nothing to take back.")
    return redirect("site:profile")


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Record nothing of the viewer from now on, and show him what is popular."""
    if demo_user.viewer_of(request).refuses_tracking:
        messages.warning(request, "Your browser asks not to be tracked: nothing is recorded anyway.")
    else:
        profiles.store(demo_user.acting_user_id(request), consent="withheld")
        messages.success(request, "Paused. Nothing you do is recorded until you go on.")
    return redirect("site:profile")


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Record again what the viewer does."""
    own_id = demo_user.viewer_of(request).own_id
    if own_id:
        profiles.store(own_id, consent="granted")
        messages.success(request, "Going on: what you watch counts again.")
    return redirect("site:profile")


@never_cache
@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Hand out everything that is stored about the viewer, as a file."""
    own_id = demo_user.viewer_of(request).own_id
    stored = (export(own_id) if own_id else None) or {"user_id": own_id, "events": [], "impressions": []}
    content = orjson.dumps(stored, option=orjson.OPT_INDENT_2)
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """Ask whether everything about the viewer is to be erased, and do so when he has confirmed it."""
    viewer = demo_user.viewer_of(request)
    if request.method == "POST":
        if request.POST.get("confirm") != "yes":
            messages.error(request, "Nothing was erased: tick the box to confirm.")
            return redirect("site:erase")
        receipt = erase_user(viewer.own_id) if viewer.own_id else {}
        demo_user.sign_out(request)
        events, impressions = receipt.get("events", 0), receipt.get("impressions", 0)
        messages.success(
            request,
            f"Erased: {events} thing{'' if events == 1 else 's'} you did, {impressions} you were shown, and what you "
            "told about yourself. You are browsing as a new visitor.",
        )
        return redirect("site:home")
    return show(request, "erase.html")
