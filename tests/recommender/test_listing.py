"""A list that is shown again is the one that would be made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from catalog.models import Item
from interactions import popularity
from interactions.erasure import erase_user
from interactions.models import EventType, Impression
from recommender import listing, serving, tasks
from recommender.contracts import RecommendationList
from recommender.exceptions import BackendError
from recommender.models import Placement
from recommender.sources.item_to_item import ItemToItem
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import published


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the recipes that were really run, in order."""
    run: list[str] = []
    answer = listing.answer

    def counting(recipe: str, *asked: Any, **named: Any) -> Any:
        run.append(recipe)
        return answer(recipe, *asked, **named)

    monkeypatch.setattr(listing, "answer", counting)
    return run


def shown(site: FilmSite, **asked: Any) -> RecommendationList:
    """Return ann's list after reading her once: a first read comes from Postgres and is not kept."""
    serving.recommend("ann", record=False)
    return serving.recommend("ann", **asked)


def test_a_repeated_request_is_answered_without_the_pipeline_and_counts_as_shown(
    site: FilmSite, made: list[str]
) -> None:
    site.does("ann", ("watch", "alien"))
    first = shown(site)
    again = serving.recommend("ann")
    assert made == ["personalized"] * 2
    assert ids(again) == ids(first)
    assert again.request_id != first.request_id
    assert tasks.write_impressions() == 2 * len(first.items)
    assert Impression.objects.filter(request_id=again.request_id).count() == len(first.items)


@pytest.mark.parametrize(
    "asked",
    [{"limit": 2}, {"exclude": ["heat"]}, {"kind": "trending"}, {"kind": "similar", "seed_item_id": "heat"}],
    ids=["limit", "exclude", "kind", "seed"],
)
def test_what_is_asked_otherwise_is_made(site: FilmSite, made: list[str], asked: dict[str, Any]) -> None:
    site.does("ann", ("watch", "alien"))
    shown(site)
    serving.recommend("ann", **asked)
    assert len(made) == 3


def hide(site: FilmSite) -> None:
    Item.objects.filter(item_id="arrival").update(is_active=False)


def rule(site: FilmSite) -> None:
    published("hide", where="category=scifi")


def placement(site: FilmSite) -> None:
    Placement.objects.filter(name="homepage").update(title="Yours")


def model(site: FilmSite) -> None:
    site.publish()


def weight(site: FilmSite) -> None:
    EventType.objects.filter(name="watch").update(weight=0.5)


def trending(site: FilmSite) -> None:
    popularity.refresh()


def event(site: FilmSite) -> None:
    site.does("ann", ("watch", "heat"))


def erased(site: FilmSite) -> None:
    erase_user("ann")


@pytest.mark.parametrize("change", [hide, rule, placement, model, weight, trending, event, erased])
def test_whatever_a_list_depends_on_makes_it_anew(
    site: FilmSite, made: list[str], change: Callable[[FilmSite], None]
) -> None:
    site.does("ann", ("watch", "alien"))
    kept = shown(site)
    with site.commit():
        change(site)
    after = serving.recommend("ann")
    assert len(made) == 3
    listing._cache.cache_clear()
    assert after.items == serving.recommend("ann").items
    assert (ids(after) == ids(kept)) == (change in (placement, model, trending))


def test_a_redis_that_has_lost_everything_does_not_bring_an_old_list_back(
    site: FilmSite, made: list[str], redis_prefix: str
) -> None:
    """The generation starts again from nothing; the newest event tells the two apart."""
    site.does("ann", ("watch", "alien"))
    assert ids(shown(site))[0] == "arrival"
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.delete(*client.scan_iter(f"{redis_prefix}:user:*"))
    site.does("ann", ("watch", "arrival"))
    assert "arrival" not in ids(shown(site))


def test_previews_and_what_is_shown_are_kept_apart(site: FilmSite, made: list[str]) -> None:
    site.does("ann", ("watch", "alien"))
    shown(site)
    serving.recommend("ann", record=False)
    serving.recommend("ann", explain=True)
    # The first preview came from Postgres; the second was kept; a trace is always made.
    assert len(made) == 4


def test_a_list_that_a_failing_stage_has_left_poorer_is_not_kept(
    site: FilmSite, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.does("ann", ("watch", "alien"))
    serving.recommend("ann", record=False)

    def fail(*asked: object) -> None:
        raise BackendError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(ItemToItem, "columns", fail)
        poorer = serving.recommend("ann")
    whole = serving.recommend("ann")
    assert len(made) == 3
    assert whole.items != poorer.items
    assert serving.recommend("ann").items == whole.items
    assert len(made) == 3
