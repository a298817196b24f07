"""The pages people browse. Each reads through one door and renders; acts are in `act_views`."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from catalog import queries as catalogue
from recommender import serving, staff_overlay
from recommender.carousel import UNAVAILABLE, Card, card, from_list, shown_item_ids
from recsite.site.acts import RATINGS, record_visit
from recsite.site.demo_user import viewer_of
from recsite.site.history import VIEW, recent_deeds, without_glances
from recsite.site.origin import origin_of

logger = logging.getLogger(__name__)

ITEMS_PER_PAGE = 48
PAGES_AT_MOST = 200
SAME_VISIT = timedelta(minutes=30)
"""Coming back to an item sooner, as after rating it, is no second view."""
_NAV_CATEGORIES = 24

private = cache_control(private=True, no_cache=True)


@private
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show every carousel of the placement page "home", and its first item large."""
    user_id = viewer_of(request).user_id
    try:
        answers = [answer for answer in serving.page("home", user_id=user_id) if answer.items]
    except UNAVAILABLE as error:
        logger.warning("home page without carousels: %s", error)
        answers = []
    hero = None
    if answers:
        notes = staff_overlay.notes(request, answers[0], on_its_page=True)
        hero = from_list(answers[0], notes=notes).cards[0]
        shown_item_ids(request).add(hero.item_id)
    context = {
        "hero": hero,
        "hero_row": answers[0] if answers else None,
        "answers": answers,
        "categories": catalogue.categories()[:_NAV_CATEGORIES],
        "popular": [] if answers else _cards(catalogue.cards(limit=24)),
    }
    return _page(request, "home.html", context)


@private
@require_safe
def item(request: HttpRequest, item_id: str) -> HttpResponse:
    """Show one item with what is like it, and record the visit."""
    found = None if "\0" in item_id else catalogue.card(item_id)
    fields = catalogue.item(item_id) if found else None
    if found is None or fields is None:
        raise Http404(f"There is no item {item_id!r}.")
    origin = origin_of(request.GET)
    deeds = []
    viewer = viewer_of(request)
    try:
        deeds = recent_deeds(viewer.user_id, item_id=item_id)
        if request.method == "GET" and not viewer.refuses_tracking and not _is_prefetch(request):
            is_new = not deeds or timezone.now() - deeds[0].occurred_at > SAME_VISIT
            record_visit(request, item_id, origin, is_new=is_new)
    except UNAVAILABLE as error:
        logger.warning("visit of %r not recorded: %s", item_id, error)
    context = {
        "card": card(found, origin=origin.query if origin else ""),
        "fields": fields,
        "hours": divmod(fields["duration_minutes"] or 0, 60),
        "last_deed": next((deed for deed in deeds if deed.event_type != VIEW), None),
        "ratings": RATINGS,
    }
    return _page(request, "item.html", context)


@private
@require_safe
def browse(request: HttpRequest, category: str = "") -> HttpResponse:
    """Show the items of one category (or of all), most popular first, page by page."""
    categories = catalogue.categories()
    if category and category not in categories:
        raise Http404(f"There is no category {category!r}.")
    page = Paginator(range(PAGES_AT_MOST), 1).get_page(request.GET.get("page")).number
    found = catalogue.cards(category=category, limit=ITEMS_PER_PAGE + 1, offset=(page - 1) * ITEMS_PER_PAGE)
    context = {
        "category": category,
        "categories": categories,
        "cards": _cards(found[:ITEMS_PER_PAGE]),
        "page": page,
        "previous_page": page - 1,
        "next_page": page + 1 if len(found) > ITEMS_PER_PAGE and page < PAGES_AT_MOST else 0,
    }
    return _page(request, "browse.html", context)


@private
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show the items whose title resembles `q`."""
    text = request.GET.get("q", "").strip()[:200]
    context = {"query": text, "cards": _cards(catalogue.search(text, ITEMS_PER_PAGE)) if text else []}
    return _page(request, "search.html", context)


@private
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show what the viewer has done."""
    try:
        deeds = without_glances(recent_deeds(viewer_of(request).user_id))
    except UNAVAILABLE as error:
        logger.warning("history not available: %s", error)
        return _page(request, "history.html", {"deeds": [], "is_unavailable": True})
    return _page(request, "history.html", {"deeds": deeds})


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {**context, "viewer": viewer_of(request), "is_demo": settings.DEMO_SITE})


def _cards(items: Any) -> list[Card]:
    return [card(found) for found in items]


def _is_prefetch(request: HttpRequest) -> bool:
    purpose = request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose", "")
    return purpose.startswith("prefetch")
