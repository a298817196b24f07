"""What visitors send: an act on an item, signing in as a demo user, signing out. All redirect back."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import Truncator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import queries as catalogue
from recsite.site import demo_user
from recsite.site.acts import ACTS, RATINGS, record_act
from recsite.site.origin import origin_of
from recsite.site.pages import show
from recsite.site.people import people, user_ids


@require_POST
def act(request: HttpRequest, name: str, item_id: str) -> HttpResponse:
    """Record one act of the viewer on an item and go back to where he was."""
    chosen = ACTS.get(name)
    found = catalogue.card(item_id) if chosen and "\0" not in item_id else None
    if chosen is None or found is None:
        raise Http404(f"There is no act {name!r} on an item {item_id!r}.")
    back = _back(request, reverse("site:item", args=[item_id]))
    value, stars = None, ""
    if chosen.event_type == "rating":
        stars = RATINGS.get(request.POST.get("stars", ""), "")
        if not stars:
            messages.error(request, "Choose one to five stars.")
            return back
        value = float(request.POST["stars"])
    if demo_user.viewer_of(request).refuses_tracking:
        messages.warning(request, "Your browser asks not to be tracked, so nothing was recorded.")
        return back
    verdict = record_act(request, item_id, chosen, origin_of(request.GET), value)
    if verdict.status == "rejected":
        messages.error(request, f"That could not be recorded: {verdict.message}")
    else:
        title = Truncator(found.title).chars(80)
        messages.success(request, chosen.confirmation.format(title=title, stars=stars))
    # A script has taken the card off the page and asks only for what there is to say.
    return render(request, "messages.html") if request.headers.get("HX-Request") == "true" else back


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Offer demo users and browse as the one chosen. Sites with accounts of their own have no such page."""
    if not settings.DEMO_SITE:
        raise Http404("Signing in as a demo user is switched off (DEMO_SITE).")
    if request.method == "POST":
        user_id = request.POST.get("user_id", "")
        if user_id in user_ids():
            demo_user.sign_in(request, user_id)
            messages.success(request, f"You are browsing as {user_id}.")
            return _back(request, reverse("site:home"))
        messages.error(request, "There is no such demo user. Choose one of these.")
    return show(request, "sign_in.html", {"people": people()})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Browse as a new visitor from now on."""
    demo_user.sign_out(request)
    messages.success(request, "You are browsing as a new visitor.")
    return redirect("site:home")


def _back(request: HttpRequest, default: str) -> HttpResponseRedirect:
    target = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if allowed else default)
