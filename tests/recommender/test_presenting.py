"""An item with several titles and pictures is shown under one, the same wherever it stands, and learned from."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import time_machine
from django.template import Context, Template
from django.test import Client

from catalog.models import Item, ItemPresentation
from experiments.bandits import Beliefs, floored
from interactions import presented, profiles
from interactions.models import Impression
from interactions.recording import EventInput, record
from interactions.responses import Audience, Temperament
from recommender import presenting, serving, tasks
from recommender.contracts import Recommendation
from recommender.presenting import FLOOR
from recommender.visit import begin
from recsite import api_keys
from tests.recommender.film_site import FilmSite


@pytest.fixture
def saga(site: FilmSite) -> ItemPresentation:
    """Give heat, which is the most popular, another title and picture."""
    with site.commit():
        other: ItemPresentation = ItemPresentation.objects.create(
            item=Item.objects.get(item_id="heat"), title="A crime saga", image_url="/saga.jpg"
        )
    return other


def heat_for(user_id: str, context: str = "trending", **asked: Any) -> Recommendation:
    made = serving.recommend(user_id, context=context, **asked)
    return next(item for item in made.items if item.item_id == "heat")


def test_some_see_it_under_one_and_some_under_the_other_and_it_is_noted(site: FilmSite, saga: ItemPresentation) -> None:
    seen = {user_id: heat_for(user_id) for user_id in (f"user-{number}" for number in range(30))}
    looks = {(one.presentation, one.card.title, one.card.image_url) for one in seen.values()}
    assert looks == {(0, "Heat", ""), (saga.pk, "A crime saga", "/saga.jpg")}
    tasks.write_impressions()
    of_heat = Impression.objects.filter(item_id=site.pks["heat"])
    noted = dict(of_heat.values_list("user_id_text", "presentation"))
    assert noted == {user_id: one.presentation for user_id, one in seen.items()}
    # Nothing is known of either.
    assert set(of_heat.values_list("presentation_propensity", flat=True)) == {0.5}
    assert not Impression.objects.exclude(item_id=site.pks["heat"]).exclude(presentation=None).exists()


def test_one_sees_it_under_the_same_everywhere_within_the_hour(site: FilmSite, saga: ItemPresentation) -> None:
    with time_machine.travel("2026-03-04T10:05:00Z", tick=False) as clock:
        chosen = {user_id: heat_for(user_id).presentation for user_id in ("ann", "bob", "cem", "dan")}
        clock.shift(3000)
        assert {user_id: heat_for(user_id, "homepage").presentation for user_id in chosen} == chosen
        by_hour = []
        for _ in range(20):
            clock.shift(3600)
            by_hour.append(heat_for("ann").presentation)
    assert set(by_hour) == {0, saga.pk}


def test_it_is_shown_as_often_as_its_chance_to_be_best_but_for_the_floor(
    site: FilmSite, saga: ItemPresentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {site.pks["heat"]: {0: (40, 4), saga.pk: (40, 6)}}
    monkeypatch.setattr(presented, "current", lambda: counts)
    own, other = floored(Beliefs(np.array([4.0, 6.0]), np.array([36.0, 34.0])).chances_to_be_best(), FLOOR)
    assert own > FLOOR
    shown = Counter(heat_for(f"user-{number}").presentation for number in range(300))
    # Four standard deviations of a share of 300 draws are at most 0.116.
    assert {one: times / 300 for one, times in shown.items()} == pytest.approx({0: own, saga.pk: other}, abs=0.116)
    tasks.write_impressions()
    noted = Impression.objects.filter(item_id=site.pks["heat"], presentation=0)
    [propensity] = set(noted.values_list("presentation_propensity", flat=True))
    assert propensity == pytest.approx(own)


def test_whom_nothing_is_stored_of_sees_its_own(site: FilmSite, saga: ItemPresentation) -> None:
    with site.commit():
        for number in range(20):
            profiles.store(f"user-{number}", consent="withheld")
    shown = [heat_for(f"user-{number}") for number in range(20)] + [heat_for("")]
    shown += [heat_for(f"other-{number}", record=False) for number in range(20)]
    assert {(one.presentation, one.card.title) for one in shown} == {(None, "Heat")}


def test_an_edit_shows_on_the_next_request(site: FilmSite, saga: ItemPresentation) -> None:
    user_id = next(user for user in (f"user-{n}" for n in range(30)) if heat_for(user).presentation == saga.pk)
    with site.commit():
        ItemPresentation.objects.filter(pk=saga.pk).update(is_active=False)
    found = heat_for(user_id)
    assert (found.presentation, found.card.title) == (None, "Heat")


def test_where_no_item_has_several_a_list_is_left_as_it_is(site: FilmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> None:
        raise AssertionError("nothing needs to be known")

    monkeypatch.setattr(presented, "current", ask)
    visit = begin("ann", record=True)
    made, served = serving.list_for(visit, context="trending")
    shown, noted = presenting.presented(visit, made, served)
    assert shown is made
    assert noted is served


def test_the_api_and_the_template_show_the_same(site: FilmSite, saga: ItemPresentation) -> None:
    client = Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read'])}"})
    for user_id in ("ann", "bob", "cem", "dan"):
        answer = client.get(f"/api/v1/recommendations/{user_id}?context=trending&expand=item").json()
        [found] = [item for item in answer["recommendations"] if item["item_id"] == "heat"]
        others = [item for item in answer["recommendations"] if item["item_id"] != "heat"]
        assert not any("presentation_id" in item for item in others)
        page = client.get(f"/api/v1/recommendations/{user_id}?context=trending&expand=item&cursor=").json()
        assert page["recommendations"] == answer["recommendations"]
        chosen = heat_for(user_id)
        assert (found["presentation_id"], found["item"]["title"]) == (chosen.presentation, chosen.card.title)
        template = Template("{% load recommendations %}{% recommended_for user %}")
        html = template.render(Context({"user": user_id}))
        assert f'data-presentation-id="{chosen.presentation}"' in html
        assert (f">{chosen.card.title}<" in html, html.count("data-presentation-id")) == (True, 1)


def test_what_an_audience_takes_is_shown_more(site: FilmSite, saga: ItemPresentation) -> None:
    """Under its own title one in ten takes it, under the other more than half of those who see it."""
    people = 60
    audience = Audience(people, 2, seed=4, temperament=Temperament(taste=0.2, quality=0.0, openness=0.2, fatigue=0.0))
    audience.qualities[:] = [0.3, 2.8]
    shares = []
    with time_machine.travel("2026-03-04T10:00:00Z", tick=False) as clock:
        for _ in range(4):
            shown = {person: serving.recommend(f"person-{person}", context="trending") for person in range(people)}
            events, under_the_other = [], 0
            for person, made in shown.items():
                [one] = [item for item in made.items if item.item_id == "heat"]
                arm = int(one.presentation == saga.pk)
                under_the_other += arm
                if audience.respond(person, np.array([arm]))[0]:
                    events.append(EventInput(f"person-{person}", "heat", "click", request_id=made.request_id))
            shares.append(under_the_other / people)
            tasks.write_impressions()
            with site.commit():
                assert {verdict.status for verdict in record(events)} <= {"accepted"}
            clock.shift(60)
            presented.refresh()
            clock.shift(3600)
        [own, other] = presented.by_item(1)
    assert 0.3 < shares[0] < 0.7
    assert shares[-1] > 0.85
    # The floor keeps some under its own.
    assert own.shown + other.shown == 4 * people
    assert own.shown > 0.05 * people
