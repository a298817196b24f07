"""What a page's scripts ask for: a row that was left for later, and the door for what they tell of rows."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from recommender import reporting, rows
from recommender.carousel import Shown, shown_on

MOST_SHOWN = 1000
LONGEST_ID = 200


@never_cache
@require_POST
def late_row(request: HttpRequest) -> HttpResponse:
    """Render a row that was left for later, without what the page shows by now (`shown`)."""
    return _rendered(request, request.POST.get("row", ""), "recommender/late_rows.html")


@never_cache
@require_safe
def row_page(request: HttpRequest) -> HttpResponse:
    """Render the same row on a page of its own, for whoever has switched scripts off since."""
    return _rendered(request, request.GET.get("row", ""), "recommender/row_page.html")


# The note in a report proves more than a token of the site would, and `sendBeacon` sends no headers.
@csrf_exempt
@require_POST
def report(request: HttpRequest) -> HttpResponse:
    """Record what a page tells of the cards that were seen and opened."""
    try:
        reporting.take(request.body)
    except reporting.BadReport as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain")
    return HttpResponse(status=204)


def _rendered(request: HttpRequest, packed: str, template: str) -> HttpResponse:
    try:
        row = rows.unpacked(packed)
    except rows.BadRow as error:
        raise Http404(str(error)) from error
    beside = [item_id for item_id in request.POST.getlist("shown")[:MOST_SHOWN] if 0 < len(item_id) <= LONGEST_ID]
    shown: Shown = shown_on(request)
    shown.beside.update(beside)
    if row.seed_item_id:
        shown.beside.add(row.seed_item_id)
    lists, title = row.lists(shown)
    return render(request, template, {"lists": lists, "title": title, "row": row})
