"""The pages people browse. Each reads through one door and renders; acts are in `act_views`."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog import queries as catalogue
from recommender import serving, staff_overlay
from recommender.carousel import UNAVAILABLE, Card, card, from_list, shown_item_ids
from recommender.contracts import RecommendationList
from recommender.queries import PlacementSpec
from recommender.rows import may_load_late
from recsite.site import browsing
from recsite.site.acts import RATINGS, record_visit
from recsite.site.demo_user import viewer_of
from recsite.site.history import VIEW, recent_deeds
from recsite.site.origin import origin_of
from recsite.site.pages import private, show

logger = logging.getLogger(__name__)

EAGER_PLACEMENTS = 2
"""Of the home page; the others lie below what is seen at first."""
SAME_VISIT = timedelta(minutes=30)
"""Coming back to an item sooner, as after rating it, is no second view."""
_NAV_CATEGORIES = 24
MOST_TAGS = 16


@private
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show every carousel of the placement page "home", and its first item large."""
    user_id = viewer_of(request).user_id
    try:
        answers, late = _rows(request, user_id)
    except UNAVAILABLE as error:
        logger.warning("home page without carousels: %s", error)
        answers, late = [], []
    hero = None
    if answers:
        notes = staff_overlay.notes(request, answers[0], on_its_page=True)
        hero = from_list(answers[0], notes=notes).cards[0]
        shown_item_ids(request).add(hero.item_id)
    context = {
        "hero": hero,
        "hero_row": answers[0] if answers else None,
        "answers": answers,
        "late": late,
        "categories": catalogue.categories()[:_NAV_CATEGORIES],
        "popular": [] if answers else _cards(catalogue.cards(limit=24)),
    }
    return show(request, "home.html", context)


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
        "tags": browsing.links("tag", found.tags[:MOST_TAGS]),
        "countries": browsing.links("country", fields["countries"]),
        "languages": browsing.links("language", [fields["language"]] if fields["language"] else []),
    }
    return show(request, "item.html", context)


def _rows(request: HttpRequest, user_id: str) -> tuple[list[RecommendationList], list[PlacementSpec]]:
    """Return the lists that the page begins with, and the placements whose rows come when the reader gets there."""
    placements = serving.placements_of("home") if may_load_late(request) else []
    late = placements[EAGER_PLACEMENTS:]
    if late:
        answers = serving.page("home", user_id=user_id, only=[one.name for one in placements[:EAGER_PLACEMENTS]])
        if answers:
            return answers, late
    return [answer for answer in serving.page("home", user_id=user_id) if answer.items], []


def _cards(items: Any) -> list[Card]:
    return [card(found) for found in items]


def _is_prefetch(request: HttpRequest) -> bool:
    purpose = request.headers.get("Sec-Purpose", "") or request.headers.get("Purpose", "")
    return purpose.startswith("prefetch")
