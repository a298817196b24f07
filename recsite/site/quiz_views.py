"""The quiz of a new visitor: two questions, one form, no script."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import countries
from catalog import queries as catalogue
from recsite.site import quiz
from recsite.site.demo_user import acting_user_id, viewer_of
from recsite.site.pages import show

MOST_CATEGORIES = 24


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask what somebody likes, keep what he says, and lead to the page that it has changed."""
    viewer = viewer_of(request)
    if request.method == "POST":
        if viewer.refuses_tracking:
            messages.warning(request, "Your browser asks not to be tracked, so nothing was recorded.")
            return redirect("site:quiz")
        likes = quiz.store(
            acting_user_id(request),
            categories=request.POST.getlist("category"),
            items=request.POST.getlist("item"),
            country=request.POST.get("country", ""),
        )
        if likes:
            messages.success(request, "Thank you. This page is yours now; it learns from what you watch.")
            return redirect("site:home")
        messages.error(request, "Pick at least one category or title.")
    said, country = quiz.answered(viewer.user_id)
    context = {
        "categories": catalogue.categories()[:MOST_CATEGORIES],
        "titles": quiz.titles(),
        "liked_categories": said.categories,
        "liked_items": said.items,
        "country": country,
        "countries": [(code, countries.name(code).removeprefix("the ")) for code in countries.codes()],
    }
    return show(request, "quiz.html", context)
