"""Drawn posters and backdrops as images, cached by browsers for a year under an address that carries their digest."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from catalog import queries as catalogue
from catalog.snapshot import ItemCard
from recsite.csp import HEADER
from recsite.site.posters import digest, draw_backdrop, draw_poster

YEAR_SECONDS = 31_536_000
UNVERSIONED_SECONDS = 300


@require_safe
def poster(request: HttpRequest, item_id: str) -> HttpResponse:
    """Draw the poster of an item that may be shown."""
    return _drawing(request, item_id, draw_poster)


@require_safe
def backdrop(request: HttpRequest, item_id: str) -> HttpResponse:
    """Draw the wide picture behind an item that may be shown."""
    return _drawing(request, item_id, draw_backdrop)


def _drawing(request: HttpRequest, item_id: str, draw: Callable[[ItemCard], str]) -> HttpResponse:
    card = None if "\0" in item_id else catalogue.card(item_id)
    if card is None:
        raise Http404(f"There is no item {item_id!r}.")
    version = digest(card)
    etag = f'"{version}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(draw(card), content_type="image/svg+xml; charset=utf-8")
    response["ETag"] = etag
    response[HEADER] = "default-src 'none'; sandbox"
    is_current = request.GET.get("v") == version
    patch_cache_control(response, public=True, max_age=YEAR_SECONDS if is_current else UNVERSIONED_SECONDS)
    if is_current:
        patch_cache_control(response, immutable=True)
    return response
