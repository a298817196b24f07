"""The exploration slot as lists show it and as impressions note it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings

from catalog.models import Item
from interactions import explored
from interactions.models import Impression
from recommender import serving, tasks
from recommender.contracts import RecommendationList
from recommender.models import Placement
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import published


@pytest.fixture
def stocked(site: FilmSite) -> FilmSite:
    """Add a film that the model does not know, and somebody with a history."""
    with site.commit():
        Item.objects.create(item_id="dune", title="Dune", category="drama")
    site.does("ann", ("watch", "alien"))
    return site


def four() -> RecommendationList:
    """Return a list too short for a film that nobody has taken."""
    return serving.recommend("ann", limit=4)


def test_a_new_film_stands_in_the_slot_and_is_noted_with_its_probability(stocked: FilmSite) -> None:
    made = four()
    place = ids(made).index("dune")
    assert place in (2, 3)
    assert (made.items[place].source, made.items[place].reason) == ("exploration", "New here")
    assert ids(four()) == ids(made)
    assert tasks.write_impressions() == 8
    noted = {
        (row.position, row.source, row.propensity) for row in Impression.objects.filter(request_id=made.request_id)
    }
    # One of two positions for the only new film. What is third without it is pushed back by half of the draws.
    assert (place, "exploration", 0.5) in noted
    assert sorted(propensity for _, _, propensity in noted) == [0.5, 0.5, 1.0, 1.0]
    assert explored.refresh() == 1
    assert explored.current() == {Item.objects.get(item_id="dune").pk: 2}


def test_it_comes_after_a_film_has_had_its_showings(stocked: FilmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {Item.objects.get(item_id="dune").pk: 100}
    monkeypatch.setattr(explored, "current", lambda: counts)
    assert "dune" not in ids(four())


def test_the_setting_turns_it_off(stocked: FilmSite, settings: django_settings) -> None:
    settings.RECOMMENDER_EXPLORATION = False
    assert "dune" not in ids(four())
    assert {item.propensity for item in four().items} == {1.0}


@pytest.mark.parametrize(
    "change",
    [
        lambda: Placement.objects.filter(name="homepage").update(explores=False),
        lambda: published("hide", where="category=drama"),
        lambda: Item.objects.filter(item_id="dune").update(is_active=False),
    ],
    ids=["the placement refuses", "a rule hides it", "it is not available"],
)
def test_editors_decide_what_is_never_explored(stocked: FilmSite, change: Any) -> None:
    with stocked.commit():
        change()
    assert "dune" not in ids(four())


def test_what_somebody_has_seen_is_not_new_to_him(stocked: FilmSite) -> None:
    stocked.does("ann", ("watch", "dune"))
    assert "dune" not in ids(four())
