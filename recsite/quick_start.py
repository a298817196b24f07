"""The page "Build a home screen in five minutes": its snippets are run by the tests as they stand on it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from recommender import serving
from recommender.carousel import UNAVAILABLE

NO_ITEM = "your-item-id"


def quick_start(request: HttpRequest) -> HttpResponse:
    """Show the page, with this site's address and one of its items in the snippets."""
    context = {"origin": f"{request.scheme}://{request.get_host()}", "item_id": _an_item()}
    return render(request, "quick_start.html", context)


def _an_item() -> str:
    """Return the id of what most people take, so that the snippets work when pasted."""
    try:
        shown = serving.recommend("", kind="trending", limit=1, record=False).items
    except UNAVAILABLE:
        return NO_ITEM
    return shown[0].item_id if shown else NO_ITEM
