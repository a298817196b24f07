"""What a placement states changes what is served at it, on the next request, and nothing elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.utils import timezone

from catalog.models import Item
from recommender import listing, serving
from recommender.models import Placement
from tests.recommender.film_site import POPULAR, FilmSite, ids
from tests.recommender.rule_writing import published


def set_up(site: FilmSite, name: str, **fields: Any) -> None:
    with site.commit():
        Placement.objects.filter(name=name).update(**fields)


def test_a_stated_fallback_answers_in_the_place_of_the_recipe_s_own(site: FilmSite) -> None:
    set_up(site, "homepage", fallback="new")
    made = serving.recommend("stranger", context="homepage")
    assert (made.recipe, made.fallback, made.fallback_reason) == ("new", True, "unknown_user")
    assert ids(made)[0] == "coco"
    site.does("ann", ("watch", "alien"))
    made = serving.recommend("ann", context="homepage")
    assert (made.recipe, made.fallback, ids(made)[0]) == ("personalized", False, "arrival")


def test_a_row_is_filled_up_to_be_shown_on_its_page(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    with site.commit():
        Placement.objects.exclude(name="because_you_watched").update(is_active=False)
        published("include_only", where="category=scifi", placements=["because_you_watched"])
    set_up(site, "because_you_watched", limit=3, minimum=2)
    # Only arrival is left of science fiction, and what fills up has to keep to the rule as well.
    assert serving.page("home", user_id="ann") == []
    with site.commit():
        published("include_only", where="category=crime", placements=["because_you_watched"])
    set_up(site, "because_you_watched", fallback="trending")
    [row] = serving.page("home", user_id="ann")
    assert (ids(row)[0], len(row.items), row.fallback) == ("arrival", 3, False)
    assert set(ids(row)[1:]) <= {"heat", "ronin", "thief"}
    assert row.title == "Because you watched Alien"


def test_a_row_without_anything_of_its_own_is_shown_when_it_names_what_answers(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.update(limit=3, minimum=3)
    assert [row.placement for row in serving.page("home", user_id="")] == ["homepage", "trending", "new"]
    set_up(site, "because_you_watched", fallback="trending")
    rows = serving.page("home", user_id="")
    assert [row.placement for row in rows] == ["homepage", "because_you_watched", "trending"]
    assert (rows[1].fallback, rows[1].title) == (True, "Trending now")


def test_rows_of_one_group_avoid_each_other_and_no_others(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.filter(page="home").update(limit=3, minimum=3, recipe="trending")
        Placement.objects.filter(name="because_you_watched").update(dedupe_group="top")
        Placement.objects.filter(name="trending").update(dedupe_group="top")
    rows = {row.placement: ids(row) for row in serving.page("home", user_id="")}
    assert rows["homepage"] == rows["because_you_watched"] == POPULAR[:3]
    assert rows["trending"] == rows["new"]
    assert not set(rows["trending"]) & set(POPULAR[:3])
    assert {row.dedupe_group for row in serving.page("home", user_id="")} == {"", "top"}
    shown = {"": POPULAR[:3], "top": ["airplane"]}
    assert ids(serving.recommend("", context="homepage", shown=shown))[0] not in POPULAR[:3]
    assert ids(serving.recommend("", context="trending", shown=shown))[:3] == POPULAR[:3]


def test_a_stated_freshness_brings_newer_films_forward(site: FilmSite) -> None:
    with site.commit():
        Item.objects.filter(item_id="up").update(published_at=timezone.now())
    assert ids(serving.recommend("", context="trending"))[0] == "heat"
    # All others came out decades ago and keep a tenth of their scores.
    set_up(site, "trending", freshness=0.9)
    assert ids(serving.recommend("", context="trending"))[:2] == ["up", "heat"]
    assert ids(serving.recommend("", context="homepage"))[0] == "heat"


@pytest.mark.parametrize(
    ("seconds", "after", "made_anew"),
    [(None, 59, False), (None, 61, True), (10, 9, False), (10, 11, True), (600, 599, False), (0, 0, True)],
)
def test_a_list_is_kept_as_long_as_its_placement_says(
    site: FilmSite, monkeypatch: pytest.MonkeyPatch, seconds: int | None, after: int, made_anew: bool
) -> None:
    set_up(site, "homepage", cache_seconds=seconds)
    runs: list[str] = []
    answer = listing.answer
    monkeypatch.setattr(listing, "answer", lambda recipe, *asked, **named: runs.append(recipe) or answer(recipe, *asked, **named))  # fmt: skip  # noqa: E501
    with time_machine.travel("2030-01-01 12:00:00+00:00", tick=False) as clock:
        serving.recommend("ann", record=False)
        serving.recommend("ann", record=False)
        runs.clear()
        clock.shift(after)
        serving.recommend("ann", record=False)
    assert bool(runs) == made_anew
