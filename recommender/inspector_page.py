"""The page "Why is this here?": what was asked for in its address, and what an inspection of it has found."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse

from catalog.queries import item_pk
from recommender import inspecting
from recommender.exceptions import RequestError
from recommender.list_forms import ItemInListForm

LONGEST_KEY = 18
"""Digits of what fits a key of the database."""


def page(asked: QueryDict) -> dict[str, Any]:
    """Return the form, and with a whole question `found` or the `refusal`.

    An `item_id` in the address, where pages link to, stands for the `item` that the form chooses by key.
    """
    given = asked.copy()
    key = given.get("item", "")
    if key and not (key.isascii() and key.isdecimal() and len(key) <= LONGEST_KEY):
        # The widget asks the database for what it shows again, before anybody has looked at it.
        given["item"] = ""
    if "item_id" in given and not given.get("item"):
        given["item"] = str(item_pk(str(given["item_id"]).replace("\0", "")) or "")
    form = ItemInListForm(given if "placement" in given else None, initial={"on_its_page": True})
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            context["found"] = inspecting.inspect(**form.asked())
        except RequestError as error:
            context["refusal"] = str(error)
    return context


def address(*, item_id: str, user_id: str, placement: str, seed_item_id: str = "", on_its_page: bool = True) -> str:
    """Return where the page tells of this item; "" on a site without Django's admin."""
    try:
        path = reverse("admin:recommender_rule_inspector_page")
    except NoReverseMatch:
        return ""
    asked = {"placement": placement, "user_id": user_id, "item_id": item_id, "seed_item_id": seed_item_id}
    return f"{path}?{urlencode(asked | ({'on_its_page': 'on'} if on_its_page else {}))}"
