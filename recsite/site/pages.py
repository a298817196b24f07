"""What every page of the site is rendered with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control

from recsite.site.demo_user import viewer_of

private = cache_control(private=True, no_cache=True)
"""Of pages that differ from person to person."""


def show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page for whoever looks."""
    known = {"viewer": viewer_of(request), "is_demo": settings.DEMO_SITE}
    return render(request, template, {**known, **(context or {})}, status=status)
