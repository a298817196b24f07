"""One change to many rows of a list in admin: bounded, all or none, and asked about before it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

MOST = 10_000
"""Rows at once; what is more is the work of an import."""
ASKED_FROM = 20
"""Rows from which on a change is asked about even when nothing is to be typed."""
CONFIRMED = "confirmed"

Change = Callable[..., str]
"""Takes the rows, and by name what was typed; changes them and returns what was done, in words; ValueError when it
cannot be."""


def change(
    admin: Any,
    request: HttpRequest,
    chosen: QuerySet[Any],
    *,
    title: str,
    do: Change,
    form_class: type[forms.Form] = forms.Form,
) -> HttpResponse | None:
    """Make a change, or return the page that asks about it first.

    The rows are those chosen when it is confirmed: of "all that are found" it may be others than before.
    """
    pks = list(chosen.order_by().values_list("pk", flat=True)[: MOST + 1])
    if len(pks) > MOST:
        admin.message_user(
            request, f"That is more than {MOST:,} rows: filter the list, or import a file.", messages.ERROR
        )
        return None
    is_confirmed = CONFIRMED in request.POST
    form = form_class(request.POST if is_confirmed else None)
    if (form.fields or len(pks) >= ASKED_FROM) and not (is_confirmed and form.is_valid()):
        context = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": title,
            "form": form,
            "count": len(pks),
            "examples": chosen[:5],
            "action": request.POST["action"],
            "across": request.POST.get("select_across", "0"),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "selected_name": ACTION_CHECKBOX_NAME,
            "confirmed_name": CONFIRMED,
        }
        return render(request, "admin/bulk_action.html", context)
    try:
        with transaction.atomic():
            done = do(admin.model._default_manager.filter(pk__in=pks), **(form.cleaned_data if form.fields else {}))
    except ValueError as error:
        admin.message_user(request, str(error), messages.ERROR)
    else:
        admin.message_user(request, done, messages.SUCCESS)
    return None
