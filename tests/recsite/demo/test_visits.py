"""The demo's visitors come in the order of a seed and take what suits them, by the site's own doors."""

from __future__ import annotations

from datetime import date
from io import StringIO
from itertools import islice

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from catalog import revisions, snapshot
from catalog.models import Item
from interactions.models import Event, Impression
from interactions.responses import Temperament
from recommender import tasks
from recsite.demo import visits
from recsite.demo.visits import Visits
from tests.recommender.conftest import Commit, commit, fresh_process, models  # noqa: F401 -- fixtures
from tests.recommender.film_site import FILMS, FilmSite

TODAY = date(2026, 3, 4)
MORE = {f"film-{number}": (category, 1) for number, category in enumerate(["crime", "comedy", "scifi", "family"] * 3)}


@pytest.fixture
def site(db: None, models: object, commit: Commit) -> FilmSite:  # noqa: F811 -- the fixtures
    """Enough films for people to have tastes."""
    return FilmSite(commit, films={**FILMS, **MORE})


def visitors(seed: int = 7) -> Visits:
    return Visits(snapshot.load(revisions.from_database()[revisions.CATALOGUE]), users=20, seed=seed)


def test_a_visit_is_shown_lists_and_what_is_taken_names_the_list(
    site: FilmSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who likes everything and reads all of it clicks on all that he is shown in the rows that he looks at."""
    monkeypatch.setattr(visits, "MANNER", Temperament(inclination=40.0, position_bias=0.0, new_items=0.0))
    with site.commit():
        done = visitors().visit(4, TODAY)
    assert tasks.write_impressions() > 0
    shown = set(Impression.objects.values_list("user_id_text", "item__item_id", "request_id"))
    clicked = {(event.user_id, event.item_id, event.request_id) for event in done if event.event_type == "click"}
    assert clicked == shown
    watched = {(event.user_id, event.item_id, event.request_id) for event in done if event.event_type == "watch"}
    assert watched < clicked
    assert {user_id for user_id, *_ in clicked} == {"demo-user-005"}
    assert Event.objects.exclude(request_id=None).count() == len(done)


def test_the_seed_decides_who_comes_and_what_he_would_take(site: FilmSite) -> None:
    def story(seed: int) -> tuple[list[int], list[float]]:
        of_seed = visitors(seed)
        return list(islice(of_seed.people(), 50)), of_seed.audience.chances(3, np.arange(5)).tolist()

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_new_day_changes_tastes_and_brings_people(site: FilmSite) -> None:
    people = visitors()
    before = people.audience.tastes.copy()
    for day in (TODAY, TODAY):
        people.visit(0, day)
    assert (people.audience.tastes == before).all()
    people.visit(0, date(2026, 3, 5))
    assert (people.audience.tastes[: len(before)] != before).any()
    assert len(people.audience.traits) == len(FILMS) + len(MORE)


def test_the_command_lets_some_visit_and_refuses_too_small_a_catalogue(site: FilmSite) -> None:
    out = StringIO()
    call_command("simulate_visits", users=20, every=0.0, visits=3, stdout=out)
    assert out.getvalue().startswith("3 visits, ")
    assert tasks.write_impressions() > 0
    Item.objects.exclude(item_id__in=["heat", "up"]).delete()
    with pytest.raises(CommandError, match="has 2 items"):
        call_command("simulate_visits", users=20, every=0.0, visits=1)
