"""Somebody new, end to end: what he says, where he is, and how what he does takes over."""

from __future__ import annotations

from typing import Any

from interactions import popularity, profiles
from interactions.models import UserProfile
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


def test_preferred_categories_and_tags_make_a_first_list(site: FilmSite) -> None:
    tell(site, preferences={"categories": ["Scifi"], "tags": ["family"]})
    made = serving.recommend("ann")
    assert (made.fallback, made.recipe) == (False, "personalized")
    # What most people take of what he likes, then what most people take.
    assert sorted(ids(made)[:4]) == ["alien", "arrival", "coco", "up"]
    assert ids(made)[4] == "heat"
    reasons = {item.item_id: item.reason for item in made.items}
    assert (reasons["alien"], reasons["up"]) == ("Because you like scifi", "Because you like family")
    assert reasons["heat"] == "Popular right now"


def test_what_he_does_takes_over_from_what_he_said(site: FilmSite) -> None:
    tell(site, preferences={"categories": ["family"]})
    assert ids(serving.recommend("ann"))[0] in ("up", "coco")

    def place(item_id: str) -> int:
        return ids(serving.recommend("ann")).index(item_id)

    places = [place("thief")]
    for item_id in ("heat", "ronin"):
        site.does("ann", ("watch", item_id))
        places.append(place("thief"))
    # thief goes with heat and ronin: the more of them he has seen, the nearer the top.
    assert places == sorted(places, reverse=True)
    assert places[-1] == 0
    made = serving.recommend("ann")
    assert made.items[0].reason in ("Because you watched Heat", "Because you watched Ronin")


def test_without_consent_nothing_he_said_is_used(site: FilmSite) -> None:
    tell(site, preferences={"categories": ["family"], "items": ["alien"]}, consent="withheld")
    assert serving.recommend("ann").fallback_reason == "no_history"


def test_what_is_trending_in_his_country_comes_first(site: FilmSite) -> None:
    for number in range(30):
        site.does(f"fr{number}", ("watch", "coco"))
        site.does(f"us{number}", ("watch", "clue"))
        site.does(f"de{number}", ("watch", "clue"))
    UserProfile.objects.filter(user_id__startswith="fr").update(country="FR")
    popularity.refresh()
    tell(site, "luc", country="FR")
    tell(site, "joe")
    french, other = serving.recommend("luc"), serving.recommend("joe")
    assert (french.fallback, french.fallback_reason) == (True, "no_history")
    assert (ids(french)[0], ids(other)[0]) == ("coco", "clue")


def test_a_first_list_asks_postgres_nothing_the_second_time(site: FilmSite, django_assert_num_queries: Any) -> None:
    tell(site, preferences={"categories": ["family"], "items": ["alien"]}, country="FR")
    first = serving.recommend("ann")
    with django_assert_num_queries(0):
        assert ids(serving.recommend("ann")) == ids(first)
