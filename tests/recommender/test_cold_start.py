"""Somebody new, end to end: what he says, where he is, and how what he does takes over."""

from __future__ import annotations

from typing import Any

from interactions import profiles
from recommender import serving
from tests.recommender.film_site import FilmSite, ids


def tell(site: FilmSite, user_id: str = "ann", **fields: Any) -> None:
    with site.commit():
        profiles.store(user_id, **fields)


def test_items_named_as_a_taste_make_the_first_list_personal(site: FilmSite) -> None:
    tell(site, preferences={"items": ["alien"]})
    made = serving.recommend("ann")
    assert (made.fallback, made.recipe, made.items[0].item_id) == (False, "personalized", "arrival")
    assert made.items[0].reason == "Because you like Alien"
    assert "alien" not in ids(made)


def test_what_he_named_is_no_reason_to_say_he_watched_it(site: FilmSite) -> None:
    tell(site, preferences={"items": ["alien"]})
    made = serving.recommend("ann", kind="because_you_watched")
    assert (made.fallback, made.fallback_reason) == (True, "no_history")
