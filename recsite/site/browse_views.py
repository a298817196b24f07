"""Browsing and searching the catalogue: one page, narrowed by what its address asks for."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from catalog import faceted_search
from catalog import queries as catalogue
from catalog.faceted_search import MATCHES
from recommender.carousel import card
from recsite.site import browsing
from recsite.site.pages import private, show

ITEMS_PER_PAGE = 48


@private
@require_safe
def browse(request: HttpRequest, category: str = "") -> HttpResponse:
    """Show what the catalogue has of what the address asks for, page by page, with what narrows it further."""
    if category and category not in catalogue.categories():
        raise Http404(f"There is no category {category!r}.")
    return _results(request, category)


@private
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show the same for words; without any, how to search."""
    if not any(character.isalnum() for character in request.GET.get("q", "")):
        return show(request, "search.html", {"query": request.GET.get("q", "").strip()[:200]})
    return _results(request)


def _results(request: HttpRequest, category: str = "") -> HttpResponse:
    wanted = browsing.wanted_of(request.GET, category)
    most_pages = -(-MATCHES // ITEMS_PER_PAGE)
    page = Paginator(range(most_pages), 1).get_page(request.GET.get("page")).number
    found = faceted_search.find(wanted, limit=ITEMS_PER_PAGE, offset=(page - 1) * ITEMS_PER_PAGE)
    last_page = max(-(-found.total // ITEMS_PER_PAGE), 1)
    context = {
        "wanted": wanted,
        "query": wanted.text,
        "heading": wanted.category or "Browse",
        "found": found,
        "cards": [card(one) for one in found.cards],
        "facets": browsing.facets_of(wanted, found.facets),
        "chosen": browsing.chosen_of(wanted),
        "sorts": browsing.sorts_of(wanted),
        "everything": browsing.address(faceted_search.Wanted(text=wanted.text)),
        "page": page,
        "last_page": last_page,
        "previous_address": browsing.address(wanted, page=min(page - 1, last_page)) if page > 1 else "",
        "next_address": browsing.address(wanted, page=page + 1) if page < last_page else "",
    }
    return show(request, "browse.html", context)
