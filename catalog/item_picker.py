"""A field in which an editor finds an item by typing, and sees its poster: the widget, and what it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from catalog import item_search
from catalog.item_search import FoundItem

URL_NAME = "catalog_item_pick"
PERMISSION = "catalog.view_item"


def pick(request: HttpRequest) -> JsonResponse:
    """Answer the items that `term` may mean, as select2 takes them."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    found = item_search.find(request.GET.get("term", ""))
    results = [{"id": one.pk, "text": one.title, "image": one.image_url, "note": one.note} for one in found]
    return JsonResponse({"results": results, "pagination": {"more": False}})


class ItemPicker(forms.Select):
    """A select2 that holds the chosen item only; the others are asked for as one types."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.known: Mapping[int, FoundItem] = {}
        """Chosen items that need not be read again, for many fields of one page."""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        """Name the address and the look."""
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {
            "class": "item-picker",
            "data-url": reverse(f"admin:{URL_NAME}"),
            "data-theme": "admin-autocomplete",
            "data-placeholder": "Type a title or an id",
        }

    def optgroups(self, name: str, value: list[Any], attrs: Any = None) -> list[Any]:
        """Return the chosen item, which may be none, and no other."""
        # The empty one is what the placeholder stands for.
        options = [self.create_option(name, "", "", not value, 0)]
        pks = [int(one) for one in value if str(one).isdecimal()]
        missing = [pk for pk in pks if pk not in self.known]
        known = {**self.known, **(item_search.by_pk(missing) if missing else {})}
        for index, one in enumerate((known[pk] for pk in pks if pk in known), start=1):
            option = self.create_option(name, one.pk, one.title, selected=True, index=index)
            option["attrs"] |= {"data-image": one.image_url, "data-note": one.note}
            options.append(option)
        return [(None, options, 0)]

    class Media:
        css: ClassVar = {
            "screen": ["admin/css/vendor/select2/select2.css", "admin/css/autocomplete.css", "catalog/item_picker.css"]
        }
        js: ClassVar = [
            # The very file that the other widgets name: a second jQuery would not know what the first has been taught.
            f"admin/js/vendor/jquery/jquery{'' if settings.DEBUG else '.min'}.js",
            "admin/js/vendor/select2/select2.full.js",
            "admin/js/jquery.init.js",
            "catalog/item_picker.js",
        ]
