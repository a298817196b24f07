"""What editors and engineers do in admin takes effect, and what they must not do is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from catalog import revisions
from catalog.models import Item
from interactions.recording import EventInput, record
from recommender import impact_jobs
from recommender.models import Placement, Rule, RuleSetVersion
from recommender.rules import draft, versions
from tests.recommender.rule_writing import written


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat", category="Crime")


def rule(*, items: Sequence[int] = (), clauses: Sequence[tuple[str, str, str]] = (), **change: Any) -> dict[str, Any]:
    """Return the form of a rule, with its items and conditions (field, operator, values)."""
    form: dict[str, Any] = {
        "name": "Heat first",
        "action": "pin",
        "multiplier": "1",
        "priority": "0",
        "is_active": "on",
        "time_zone": "UTC",
        "holdout_percent": "0",
        "picked-TOTAL_FORMS": len(items),
        "picked-INITIAL_FORMS": 0,
        "clauses-TOTAL_FORMS": len(clauses),
        "clauses-INITIAL_FORMS": 0,
    }
    for number, item in enumerate(items):
        form |= {f"picked-{number}-item": item, f"picked-{number}-order": number}
    for number, (field, operator, values) in enumerate(clauses):
        prefix = f"clauses-{number}"
        form |= {f"{prefix}-field": field, f"{prefix}-operator": operator, f"{prefix}-values": values}
    return form | change


def publish(client: Client, note: str = "", do: str = "publish") -> Any:
    return client.post("/admin/recommender/rule/publish/", {"do": do, "note": note}, follow=True)


CRIME = [("category", "is", "Crime")]


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def errors_below(answer: Any) -> str:
    return " ".join(
        str(error) for formset in answer.context["inline_admin_formsets"] for error in formset.formset.non_form_errors()
    )


def test_a_rule_is_a_draft_until_it_is_published(staff: Client, heat: Item) -> None:
    before = revisions.from_database()[revisions.RULES]
    answer = staff.post("/admin/recommender/rule/add/", rule(items=[heat.pk], position="1"))
    assert answer.status_code == 302
    assert Rule.objects.get().position == 1
    assert revisions.from_database()[revisions.RULES] == before
    assert "pin to position 1: Heat" in staff.get("/admin/recommender/rule/").content.decode()
    page = staff.get("/admin/recommender/rule/publish/").content.decode()
    assert ("Heat first" in page, "No rule stands in another" in page) == (True, True)
    assert versions.published() == []
    publish(staff, "for the weekend")
    assert RuleSetVersion.objects.get().note == "for the weekend"
    assert revisions.from_database()[revisions.RULES] > before
    [published] = versions.published()
    assert (published.items, published.position) == ((heat.pk,), 1)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"items": [1]}, "position", "A pin needs a position, 1 (first) to 100."),
        ({"clauses": CRIME, "action": "boost"}, "multiplier", "A boost multiplies by more than 1"),
        ({"clauses": CRIME, "action": "bury"}, "multiplier", "A bury multiplies by less than 1"),
        ({"clauses": CRIME, "action": "boost", "multiplier": "1000"}, "multiplier", "at most 100"),
        (
            {"action": "cap", "attribute": "colour", "at_most": "1", "window": "3"},
            "attribute",
            "Choose category, tag",
        ),
        ({"clauses": CRIME, "action": "hide", "holdout_percent": "95"}, "holdout_percent", "0 to 90 %"),
        ({"clauses": CRIME, "action": "hide", "time_zone": "Mars"}, "time_zone", "There is no time zone 'Mars'"),
        ({"action": "organic_share", "share_percent": "150"}, "share_percent", "above 0 and up to 100 %"),
        ({"action": "fatigue", "at_most": "3"}, "window", "Within 1 to 30 days."),
        ({"action": "fatigue", "window": "3"}, "at_most", "Not again after 1 to 100 times shown."),
        (
            {
                "clauses": CRIME,
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
def test_a_rule_that_could_do_nothing_is_refused_at_its_field(
    staff: Client, heat: Item, change: dict[str, Any], field: str, message: str
) -> None:
    answer = staff.post(
        "/admin/recommender/rule/add/", rule(**{**change, "items": [heat.pk] * len(change.get("items", []))})
    )
    assert answer.status_code == 200
    assert message in " ".join(errors(answer)[field])
    assert not Rule.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"position": "1"}, "A pin needs exactly one item"),
        ({"action": "hide"}, "Say which items"),
        ({"action": "hide", "clauses": [("colour", "is", "red")]}, "There is no field"),
        ({"action": "hide", "clauses": [("year", "at_least", "soon")]}, "year needs a number"),
    ],
)
def test_a_rule_that_does_not_say_which_items_is_refused(staff: Client, change: dict[str, Any], message: str) -> None:
    answer = staff.post("/admin/recommender/rule/add/", rule(**change))
    assert answer.status_code == 200
    assert message in errors_below(answer)
    assert not Rule.objects.exists()


def test_days_segments_and_lists_are_kept(staff: Client) -> None:
    form = rule(action="hide", clauses=CRIME, weekdays=["6", "7"], segments=["new"], countries="fr, de", devices="tv")
    assert staff.post("/admin/recommender/rule/add/", form).status_code == 302
    [spec] = draft.read()
    assert (spec.schedule.weekdays, spec.audience.segments) == ((6, 7), ("new",))
    assert (spec.audience.countries, spec.audience.devices) == (("FR", "DE"), ("tv",))
    shown = staff.get(f"/admin/recommender/rule/{spec.pk}/change/").content.decode()
    assert 'value="fr,de"' in shown


def test_a_rule_with_quotes_in_it_is_kept_as_it_is_written(staff: Client) -> None:
    form = rule(action="hide", name="O'Brien's \"best\" <b>", clauses=[("title", "contains", "O'Brien; DROP TABLE")])
    assert staff.post("/admin/recommender/rule/add/", form).status_code == 302
    assert Rule.objects.get().clauses.get().values == ["O'Brien; DROP TABLE"]
    assert "&lt;b&gt;" in staff.get("/admin/recommender/rule/").content.decode()


def test_contradicting_rules_are_not_published_and_it_is_said_what_to_do(staff: Client, heat: Item) -> None:
    other = Item.objects.create(item_id="ronin", title="Ronin")
    for name, item in (("a", heat), ("b", other)):
        staff.post("/admin/recommender/rule/add/", rule(name=name, items=[item.pk], position="1"))
    answer = publish(staff)
    assert "Give one of them another position" in answer.content.decode()
    assert versions.published() == []


def test_publishing_is_undone_by_rolling_back(staff: Client) -> None:
    for name in "ab":
        staff.post("/admin/recommender/rule/add/", rule(name=name, action="hide", clauses=CRIME))
        publish(staff)
    assert [spec.name for spec in versions.published()] == ["a", "b"]
    assert "Roll back to version" in staff.get("/admin/recommender/rule/publish/").content.decode()
    publish(staff, do="roll_back")
    assert [spec.name for spec in versions.published()] == ["a"]
    assert staff.get("/admin/recommender/rulesetversion/").status_code == 200


def test_who_may_write_rules_may_not_publish_them(client: Client, heat: Item) -> None:
    editor = User.objects.create_user("editor", is_staff=True)
    editor.user_permissions.set(Permission.objects.filter(codename__in=["add_rule", "change_rule", "view_rule"]))
    client.force_login(editor)
    assert client.post("/admin/recommender/rule/add/", rule(action="hide", clauses=CRIME)).status_code == 302
    for do in ("publish", "roll_back", ""):
        assert publish(client, do=do).status_code == 403
    assert "Roll back" not in client.get("/admin/recommender/rule/publish/").content.decode()
    assert (versions.published(), RuleSetVersion.objects.count()) == ([], 0)
    publish(client, do="submit")
    assert RuleSetVersion.objects.get().state == "submitted"


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("soft_pin", {"position": 3}, "pin to position 3 or before"),
        ("promote", {"slots": 2}, "promote to 2 places of the list"),
        ("promote", {"share_percent": 30}, "promote to 30 % of the list"),
        ("bury", {"multiplier": 0.5}, "bury × 0.5"),
        ("cap", {"attribute": "tag", "at_most": 1, "window": 4}, "at most 1 of one tag in 4 places"),
        ("same_as_seed", {"attribute": "category"}, "only with the same category"),
        ("different_from_seed", {"attribute": "creator"}, "only with another creator"),
        ("organic_share", {"share_percent": 60}, "keep 60 % of the list for scores"),
        ("fatigue", {"at_most": 3, "window": 7}, "not again after 3 times shown in 7 days without a click"),
        ("exclude", {"where": "category=war"}, "exclude, unless pinned or promoted: category is war"),
    ],
)
def test_the_list_of_rules_says_what_each_does(staff: Client, action: str, fields: dict[str, Any], said: str) -> None:
    written(action, **fields)
    assert said in staff.get("/admin/recommender/rule/").content.decode()


def test_rules_are_switched_off_and_on_together(staff: Client) -> None:
    made = [written("hide", name=name, where="category=Crime") for name in "ab"]
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


def test_somebody_who_is_no_staff_sees_nothing(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/admin/recommender/rule/").status_code == 302


def test_an_editor_previews_a_list_with_the_draft(staff: Client, heat: Item) -> None:
    Item.objects.create(item_id="ronin", title="Ronin", popularity=5)
    staff.post("/admin/recommender/rule/add/", rule(items=[heat.pk], position="1"))
    page = staff.get("/admin/recommender/rule/preview/", {"placement": "trending"}).content.decode()
    assert 'data-item="heat" data-move="up"' in page
    assert "rule “Heat first”" in page
    empty = staff.get("/admin/recommender/rule/preview/").content.decode()
    assert 'id="preview"' not in empty
    refused = staff.get("/admin/recommender/rule/preview/", {"placement": "product_page"}).content.decode()
    assert "needs item_id" in refused
    wrong = staff.get("/admin/recommender/rule/preview/", {"placement": "nowhere", "moment": "soon"}).content.decode()
    assert "Select a valid choice" in wrong
    assert "Enter a valid date/time" in wrong


def test_the_impact_of_a_draft_is_asked_for_and_shown(staff: Client, heat: Item) -> None:
    record([EventInput("ann", "heat", "watch", timezone.now())])
    staff.post("/admin/recommender/rule/add/", rule(items=[heat.pk], position="1"))
    assert "Not measured yet" in staff.get("/admin/recommender/rule/publish/").content.decode()
    waiting = publish(staff, do="measure").content.decode()
    assert "Waiting for a worker" in waiting
    impact_jobs.run_waiting()
    shown = staff.get("/admin/recommender/rule/publish/").content.decode()
    assert 'id="impact"' in shown
    assert "Lists of 1 users" in shown
    # Of other rules nothing is known.
    written("hide", where="category=war")
    assert "Not measured yet" in staff.get("/admin/recommender/rule/publish/").content.decode()


@pytest.mark.parametrize(
    ("group", "may", "may_not"),
    [
        ("Viewers", {"recommender.view_rule"}, {"recommender.change_rule", "recommender.publish_rules"}),
        ("Editors", {"recommender.add_rule", "catalog.view_item"}, {"recommender.publish_rules"}),
        ("Reviewers", {"recommender.publish_rules", "recommender.change_rule"}, {"recommender.change_modelversion"}),
        (
            "ML engineers",
            {
                "recommender.change_modelversion",
                "recommender.rebuild_models",
                "django_celery_beat.change_periodictask",
                "django_celery_beat.add_crontabschedule",
            },
            {"recommender.change_rule", "recommender.publish_rules", "django_celery_beat.delete_periodictask"},
        ),
    ],
)
def test_groups_may_do_their_work_and_no_more(db: None, group: str, may: set[str], may_not: set[str]) -> None:
    user = User.objects.create_user("somebody", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    assert user.has_perms(may)
    assert not any(user.has_perm(one) for one in may_not)
