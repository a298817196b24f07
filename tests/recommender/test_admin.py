"""What editors and engineers do in admin takes effect, and what they must not do is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from catalog import revisions
from catalog.models import Item
from recommender.models import ActiveModel, ModelVersion, Placement, RebuildJob, Rule
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


def test_a_placement_s_diversity_is_a_share_or_left_to_the_recipe(staff: Client) -> None:
    placement = Placement.objects.get(name="homepage")
    form = {"name": "homepage", "page": "home", "position": "0", "title": "For you", "limit": "10", "minimum": "4"}
    form |= {"recipe": "personalized", "is_active": "on"}
    url = f"/admin/recommender/placement/{placement.pk}/change/"
    answer = staff.post(url, {**form, "diversity": "1.5"})
    assert errors(answer)["diversity"] == ["Ensure this value is less than or equal to 1."]
    placement.refresh_from_db()
    assert placement.diversity is None
    for typed, kept in (("0.3", 0.3), ("0", 0.0), ("", None)):
        assert staff.post(url, {**form, "diversity": typed}).status_code == 302
        placement.refresh_from_db()
        assert placement.diversity == kept


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
    version = ModelVersion.objects.create(name="v1", state="ready")
    page = f"/admin/recommender/modelversion/{version.pk}/change/"
    assert "nothing could be measured" in staff.get(page).content.decode()
    assert staff.post(page, {"name": "v9"}).status_code == 403
    assert staff.get("/admin/recommender/modelversion/add/").status_code == 403
    assert staff.get("/admin/recommender/rebuildjob/add/").status_code == 403


def test_a_versions_page_shows_what_was_measured(staff: Client) -> None:
    first, second = (
        ModelVersion.objects.create(
            name=name,
            state="ready",
            metrics={"final": {"ndcg": ndcg, "users": 7}, "sources": {"popular": {"ndcg": 0.25}}},
            gate_reasons=["too <few> items"],
        )
        for name, ndcg in (("v1", 0.5), ("v2", 0.75))
    )
    ActiveModel.objects.create(alias="default", version=first)
    text = staff.get(f"/admin/recommender/modelversion/{second.pk}/change/").content.decode()
    measured = text[text.index('id="measured"') : text.index('id="modelversion_form"')]
    for part in ("0.7500", "v1, which serves", "0.5000", "popular", "too &lt;few&gt; items", "serves</text>"):
        assert part in measured
    assert measured.count("<svg") == 2
    assert "<script" not in measured
    assert "style=" not in measured
    assert staff.get("/admin/recommender/modelversion/999999/change/").status_code == 302


def test_the_list_of_versions_says_which_one_serves(staff: Client) -> None:
    first, _ = (ModelVersion.objects.create(name=name, state="ready") for name in ("v1", "v2"))
    ActiveModel.objects.create(alias="default", version=first)
    found = staff.get("/admin/recommender/modelversion/").context["cl"].result_list
    assert [(version.name, version.is_active) for version in found] == [("v2", False), ("v1", True)]


def test_a_running_rebuild_shows_how_far_it_is_and_what_it_needs(staff: Client) -> None:
    now = timezone.now()
    stages = [{"stage": "reading", "at": 0.0, "memory": 5e8}, {"stage": "writing", "at": 30.0, "memory": 2.5e9}]
    RebuildJob.objects.create(
        state="done", stage="writing", stages=stages, leased_until=now, started_at=now,
        finished_at=now + timedelta(seconds=40),
    )  # fmt: skip
    running = RebuildJob.objects.create(stage="writing", stages=stages, leased_until=now)
    page = staff.get("/admin/recommender/rebuildjob/").content.decode()
    assert "75%" in page
    assert "2,500 MB" in page
    page = staff.get(f"/admin/recommender/rebuildjob/{running.pk}/change/").content.decode()
    assert "<tr><td>reading</td><td>30.0 s</td><td>500 MB</td></tr>" in page
    assert "75%" in page


def test_somebody_who_is_no_staff_sees_nothing(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/admin/recommender/rule/").status_code == 302
