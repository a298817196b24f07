"""What editors and engineers do in admin takes effect, and what they must not do is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from catalog import revisions
from catalog.models import Item
from recommender.models import ModelVersion, Placement, Rule
from recommender.rebuilding import rebuild
from recommender.registry import publishing


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat", category="Crime")


def rule(**change: Any) -> dict[str, Any]:
    return {
        "name": "Heat first",
        "action": "pin",
        "placement": "",
        "item": "",
        "category": "",
        "tag": "",
        "position": "",
        "multiplier": "1",
        "priority": "0",
        "is_active": "on",
        **change,
    }


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_a_rule_is_saved_and_raises_the_revision(staff: Client, heat: Item) -> None:
    before = revisions.from_database()[revisions.RULES]
    answer = staff.post("/admin/recommender/rule/add/", rule(item=heat.pk, position="1"))
    assert answer.status_code == 302
    assert Rule.objects.get().position == 1
    assert revisions.from_database()[revisions.RULES] == before + 1
    assert "pin Heat to position 1" in staff.get("/admin/recommender/rule/").content.decode()


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"position": "1"}, "item", "A pin needs an item."),
        ({"category": "Crime", "action": "boost"}, "multiplier", "A boost needs a multiplier above 1."),
        ({"category": "Crime", "action": "bury"}, "multiplier", "A bury needs a multiplier below 1."),
        ({"action": "hide"}, "item", "Choose an item, a category or a tag."),
        ({"category": "Crime", "action": "boost", "multiplier": "1000"}, "multiplier", "less than or equal to 100"),
        (
            {
                "category": "Crime",
                "action": "hide",
                "active_from_0": "2030-01-02",
                "active_from_1": "00:00",
                "active_until_0": "2030-01-01",
                "active_until_1": "00:00",
            },
            "active_until",
            "The end must come after the start.",
        ),
    ],
)
def test_a_rule_that_could_do_nothing_is_refused(
    staff: Client, change: dict[str, str], field: str, message: str
) -> None:
    answer = staff.post("/admin/recommender/rule/add/", rule(**change))
    assert answer.status_code == 200
    assert message in " ".join(errors(answer)[field])
    assert not Rule.objects.exists()


def test_a_pin_without_position_is_refused(staff: Client, heat: Item) -> None:
    answer = staff.post("/admin/recommender/rule/add/", rule(item=heat.pk))
    assert errors(answer) == {"position": ["A pin needs a position (1 is first)."]}
    assert not Rule.objects.exists()


def test_rules_are_switched_off_and_on_together(staff: Client, heat: Item) -> None:
    made = [Rule.objects.create(name=name, action="hide", item=heat) for name in "ab"]
    for action, active in (("deactivate", False), ("activate", True)):
        staff.post("/admin/recommender/rule/", {"action": action, "_selected_action": [one.pk for one in made]})
        assert set(Rule.objects.values_list("is_active", flat=True)) == {active}


def test_a_placement_takes_only_recipes_that_exist(staff: Client) -> None:
    placement = Placement.objects.get(name="homepage")
    form = {"name": "homepage", "page": "home", "position": "0", "title": "For you", "limit": "10", "minimum": "4"}
    url = f"/admin/recommender/placement/{placement.pk}/change/"
    answer = staff.post(url, {**form, "recipe": "psychic", "is_active": "on"})
    assert "Select a valid choice" in errors(answer)["recipe"][0]
    assert staff.post(url, {**form, "recipe": "personalized_diverse", "is_active": "on"}).status_code == 302
    placement.refresh_from_db()
    assert (placement.recipe, placement.limit) == ("personalized_diverse", 10)


def test_an_older_version_serves_again(staff: Client, heat: Item, tmp_path: Path, settings: Settings) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path)
    first, second = (rebuild("test").version for _ in range(2))
    assert first is not None
    assert second is not None
    page = "/admin/recommender/modelversion/"
    assert staff.get(page).status_code == 200
    staff.post(page, {"action": "serve", "_selected_action": [first.pk]})
    held = publishing.pointer()
    assert held is not None
    assert held.version == first
    answer = staff.post(page, {"action": "serve", "_selected_action": [first.pk, second.pk]}, follow=True)
    assert "Choose exactly one version." in answer.content.decode()


def test_what_the_engine_writes_cannot_be_edited(staff: Client) -> None:
    version = ModelVersion.objects.create(
        name="v1", state="ready", metrics={"final": {"ndcg": 0.5, "recall": 0.25, "coverage": 0.125}}
    )
    page = f"/admin/recommender/modelversion/{version.pk}/change/"
    assert "final list: NDCG 0.5000, recall 0.2500, coverage 0.1250" in staff.get(page).content.decode()
    assert staff.post(page, {"name": "v9"}).status_code == 403
    assert staff.get("/admin/recommender/modelversion/add/").status_code == 403
    assert staff.get("/admin/recommender/rebuildjob/add/").status_code == 403


def test_somebody_who_is_no_staff_sees_nothing(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/admin/recommender/rule/").status_code == 302
