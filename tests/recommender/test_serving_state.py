from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from catalog import revisions, snapshot
from catalog.models import Item
from interactions.models import EventType
from recommender import queries, serving_state
from recommender.exceptions import UnknownPlacement
from recommender.models import Placement
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import published


def test_all_parts_are_of_the_revisions_asked_for(site: FilmSite) -> None:
    current = revisions.from_database()
    state = serving_state.at(current)
    assert state.revisions == current
    assert state.catalogue.revision == current[revisions.CATALOGUE]
    assert len(state.catalogue) == 9
    assert state.model is not None
    assert state.model.bundle.name == "v1"
    assert state.rulebook.revision == state.placements.revision == current[revisions.RULES]
    assert state.event_types.id_by_name.keys() >= {"watch", "view"}
    assert state.experiments == ()
    assert serving_state.last() is state


def test_without_news_nothing_is_read_again(site: FilmSite, django_assert_num_queries: Any) -> None:
    current = revisions.from_database()
    first = serving_state.at(current)
    with django_assert_num_queries(0):
        second = serving_state.at(dict(current))
    assert second.catalogue is first.catalogue
    assert second.model is first.model
    assert second.rulebook is first.rulebook


@pytest.mark.parametrize(
    ("change", "n_queries", "kept"),
    [
        # The revision and the item. The rulebook is compiled anew for new rows, but its rules are not read again.
        (lambda: Item.objects.filter(item_id="up").update(is_active=False), 2, {"placements", "event_types"}),
        (lambda: published("hide", where="category=x"), 2, {"catalogue", "model", "event_types"}),
        (lambda: Placement.objects.update(limit=5), 2, {"catalogue", "model", "event_types"}),
        (lambda: EventType.objects.update(weight=2), 1, {"catalogue", "model", "rulebook", "placements"}),
    ],
    ids=["catalogue", "rules", "placements", "event types"],
)
def test_only_what_has_changed_is_read_again(
    site: FilmSite, django_assert_num_queries: Any, change: Any, n_queries: int, kept: set[str]
) -> None:
    before = serving_state.at(revisions.from_database())
    change()
    current = revisions.from_database()
    assert current != before.revisions
    with django_assert_num_queries(n_queries):
        after = serving_state.at(current)
    same = {
        name
        for name in ("catalogue", "model", "rulebook", "placements", "event_types")
        if getattr(before, name) is getattr(after, name)
    }
    assert same == kept


def test_a_new_version_of_the_model_is_swapped_in(site: FilmSite) -> None:
    before = serving_state.at(revisions.from_database())
    site.publish()
    after = serving_state.at(revisions.from_database())
    assert before.model is not None
    assert after.model is not None
    assert (before.model.bundle.name, after.model.bundle.name) == ("v1", "v2")
    assert after.catalogue is before.catalogue


def test_a_model_of_another_site_is_no_model(site: FilmSite) -> None:
    Item.objects.all().delete()
    Item.objects.create(item_id="shoe", title="Shoe")
    state = serving_state.at(revisions.from_database())
    assert (len(state.catalogue), state.model) == (1, None)


def test_while_the_database_is_away_the_last_state_serves(site: FilmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    before = serving_state.at(revisions.from_database())

    def refuse(items: object, *, revision: int) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(snapshot, "build", refuse)
    newer = {**before.revisions, revisions.CATALOGUE: before.revisions[revisions.CATALOGUE] + 1}
    assert serving_state.at(newer) is before
    monkeypatch.setattr(serving_state, "_last", None)
    with pytest.raises(OperationalError):
        serving_state.at(newer)


def test_placements_are_found_by_name_recipe_and_page(site: FilmSite) -> None:
    Placement.objects.create(name="footer", page="home", position=9, recipe="trending", title="Foot")
    Placement.objects.create(name="attic", page="attic", recipe="new", title="Attic", is_active=False)
    found = queries.load_placements(1)
    assert [spec.name for spec in found.on_page("home")] == [
        "homepage", "because_you_watched", "trending", "new", "categories", "footer",
    ]  # fmt: skip
    first = found.of_recipe("trending")
    assert first is not None
    assert first.name == "trending"
    assert found.of_recipe("absent") is None
    assert (found.named("footer").title, found.named("footer").limit, found.named("footer").minimum) == ("Foot", 20, 4)
    with pytest.raises(UnknownPlacement, match=r"^There is no active placement 'attic'; there are: homepage, .*\.$"):
        found.named("attic")
    with pytest.raises(UnknownPlacement, match=r"^There is no page 'attic'; there are: home, item\.$"):
        found.on_page("attic")
    Placement.objects.all().delete()
    with pytest.raises(UnknownPlacement, match=r"^There is no page 'home'; there are: none\.$"):
        queries.load_placements(2).on_page("home")
