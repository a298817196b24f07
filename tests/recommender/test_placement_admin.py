"""Placements in the admin: made in a minute, refused with a reason, edited by the groups they belong to."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.test import Client

from recommender import placement_access
from recommender.models import Placement, Rule
from recommender.rules import draft, versions
from recsite.models import AuditEntry
from tests.recommender.rule_writing import written

pytestmark = pytest.mark.django_db

ADD = "/admin/recommender/placement/add/"


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def member(name: str, *groups: str) -> Client:
    """Return a signed-in editor of these groups."""
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    client = Client()
    client.force_login(user)
    return client


def form(**change: Any) -> dict[str, Any]:
    filled = {
        "title": "Late at night", "name": "late", "recipe": "personalized", "limit": "10", "minimum": "4",
        "page": "home", "position": "4", "is_active": "on", "explores": "on",
    }  # fmt: skip
    return filled | change


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def change_page(name: str) -> str:
    return f"/admin/recommender/placement/{Placement.objects.get(name=name).pk}/change/"


def put_in_hands(name: str, *groups: str) -> None:
    Placement.objects.get(name=name).editors.set([Group.objects.get_or_create(name=group)[0] for group in groups])


def test_a_new_one_needs_but_a_title(staff: Client) -> None:
    page = staff.get(ADD)
    given = page.context["adminform"].form.initial
    assert (given["recipe"], given["position"]) == ("personalized", 5)
    assert "stands for the title of the item that the row is about" in page.content.decode()
    answer = staff.post(ADD, form())
    assert answer.status_code == 302
    assert '<code>{% carousel "late" %}</code>' in said(answer)
    assert "/api/v1/recommendations/USER?context=late" in said(answer)
    made = Placement.objects.get(name="late")
    assert (made.fallback, made.freshness, made.dedupe_group, made.cache_seconds) == ("", None, "", None)
    assert '{% carousel "late" %}' in staff.get(change_page("late")).content.decode()


def test_everything_is_kept_as_it_is_given(staff: Client) -> None:
    group = Group.objects.create(name="Night")
    stated = {"fallback": "new", "freshness": "0.25", "dedupe_group": "top", "cache_seconds": "0"}
    assert staff.post(ADD, form(**stated, editors=[group.pk])).status_code == 302
    made = Placement.objects.get(name="late")
    assert (made.fallback, made.freshness, made.dedupe_group, made.cache_seconds) == ("new", 0.25, "top", 0)
    assert [one.name for one in made.editors.all()] == ["Night"]
    assert AuditEntry.objects.filter(table="recommender_placement_editors", action="insert").count() == 1


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"recipe": "psychic"}, "recipe", "Select a valid choice"),
        ({"fallback": "psychic"}, "fallback", "Select a valid choice"),
        ({"fallback": "personalized"}, "fallback", "must be another recipe than the row's own"),
        ({"minimum": "11"}, "minimum", "The row has 10 items at most: it could never be shown."),
        ({"freshness": "1.5"}, "freshness", "less than or equal to 1"),
        ({"freshness": "-0.1"}, "freshness", "greater than or equal to 0"),
        ({"dedupe_group": "a b"}, "dedupe_group", "Enter a valid"),
        ({"cache_seconds": "-1"}, "cache_seconds", "greater than or equal to 0"),
        ({"cache_seconds": "90000"}, "cache_seconds", "less than or equal to 86400"),
        ({"name": "trending"}, "name", "already exists"),
        ({"limit": "101"}, "limit", "less than or equal to 100"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    staff: Client, change: dict[str, Any], field: str, message: str
) -> None:
    before = Placement.objects.count()
    answer = staff.post(ADD, form(**change))
    assert answer.status_code == 200
    assert message in " ".join(errors(answer)[field])
    assert Placement.objects.count() == before


def test_its_name_stays(staff: Client) -> None:
    assert staff.post(change_page("homepage"), form(name="front", title="Yours")).status_code == 302
    assert Placement.objects.get(title="Yours").name == "homepage"


def test_who_is_in_none_of_its_groups_may_look_and_not_change(client: Client) -> None:
    put_in_hands("homepage", "Front", "Home team")
    other = member("eve", "Editors", "Films")
    page = other.get(change_page("homepage"))
    assert "Only Front and Home team may edit homepage" in said(page)
    assert 'name="title"' not in page.content.decode()
    assert other.post(change_page("homepage"), form(title="Mine")).status_code == 403
    assert other.post(change_page("trending"), form(title="Hot", recipe="trending")).status_code == 302
    assert not Placement.objects.filter(title="Mine").exists()
    assert Placement.objects.get(name="trending").title == "Hot"
    own = member("ann", "Editors", "Front")
    assert own.post(change_page("homepage"), form(title="Ours")).status_code == 302
    assert Placement.objects.get(name="homepage").title == "Ours"


def test_only_who_may_edit_all_says_in_whose_hands_one_is() -> None:
    put_in_hands("homepage", "Front")
    films = Group.objects.create(name="Films")
    member("ann", "Editors", "Front").post(change_page("homepage"), form(editors=[films.pk]))
    assert [group.name for group in Placement.objects.get(name="homepage").editors.all()] == ["Front"]
    reviewer = member("rob", "Reviewers")
    assert reviewer.post(change_page("homepage"), form(editors=[films.pk])).status_code == 302
    assert [group.name for group in Placement.objects.get(name="homepage").editors.all()] == ["Films"]


@pytest.mark.parametrize("group", ["Reviewers", "ML engineers"])
def test_reviewers_and_engineers_may_edit_all_and_make_new_ones(group: str) -> None:
    put_in_hands("homepage", "Front")
    client = member("rob", group)
    assert client.post(change_page("homepage"), form(title="Mine")).status_code == 302
    assert client.post(ADD, form()).status_code == 302
    assert Placement.objects.filter(title="Mine").exists()


def rule_form(*placements: str, **change: Any) -> dict[str, Any]:
    return {
        "name": "No crime", "action": "hide", "multiplier": "1", "priority": "0", "is_active": "on",
        "time_zone": "UTC", "holdout_percent": "0", "picked-TOTAL_FORMS": 0, "picked-INITIAL_FORMS": 0,
        "clauses-TOTAL_FORMS": 1, "clauses-INITIAL_FORMS": 0, "clauses-0-field": "category",
        "clauses-0-operator": "is", "clauses-0-values": "Crime",
        "placements": [Placement.objects.get(name=name).pk for name in placements], **change,
    }  # fmt: skip


RULES = "/admin/recommender/rule/"


def test_a_rule_for_a_placement_in_others_hands_is_refused_at_the_field() -> None:
    put_in_hands("homepage", "Front")
    other, own = member("eve", "Editors", "Films"), member("ann", "Editors", "Front")
    for placements, message in (
        (["homepage", "trending"], "Only Front may edit homepage and the rules that are for it."),
        ([], "A rule for no placement in particular is for all of them, and only Front may edit homepage"),
    ):
        answer = other.post(f"{RULES}add/", rule_form(*placements))
        assert answer.status_code == 200
        assert message in errors(answer)["placements"][0]
        assert not Rule.objects.exists()
    assert other.post(f"{RULES}add/", rule_form("trending")).status_code == 302
    assert own.post(f"{RULES}add/", rule_form("homepage")).status_code == 302
    assert own.post(f"{RULES}add/", rule_form()).status_code == 302
    assert Rule.objects.count() == 3


def test_a_rule_cannot_be_taken_from_a_placement_in_others_hands() -> None:
    put_in_hands("homepage", "Front")
    rule = written("hide", where="category=war", placements=["homepage"])
    before = draft.read()
    other = member("eve", "Editors", "Films")
    clause = rule.clauses.get()
    change = {"clauses-INITIAL_FORMS": 1, "clauses-0-id": clause.pk, "clauses-0-rule": rule.pk}
    answer = other.post(f"{RULES}{rule.pk}/change/", rule_form("trending", **change))
    assert "Only Front may edit homepage" in errors(answer)["placements"][0]
    assert draft.read() == before


@pytest.mark.parametrize("action", ["activate", "deactivate", "delete_selected"])
def test_no_action_touches_a_rule_for_a_placement_in_others_hands(action: str) -> None:
    put_in_hands("homepage", "Front")
    rules = [
        written("hide", name=name, where="category=war", placements=[name], is_active=action != "activate")
        for name in ("trending", "homepage")
    ]
    before = list(Rule.objects.values())
    other = member("eve", "Editors", "Films")
    chosen = {"action": action, "_selected_action": [rule.pk for rule in rules], "post": "yes"}
    answer = other.post(RULES, chosen)
    assert "Nothing was changed. Only Front may edit homepage" in said(answer)
    assert list(Rule.objects.values()) == before
    assert other.post(f"{RULES}{rules[1].pk}/delete/", {"post": "yes"}).status_code == 403
    assert list(Rule.objects.values()) == before
    other.post(RULES, {**chosen, "_selected_action": [rules[0].pk]})
    assert list(Rule.objects.values()) != before


def test_what_changes_for_a_placement_in_others_hands_is_not_published_or_made_the_draft() -> None:
    put_in_hands("homepage", "Front")
    publisher = member("pam", "Reviewers", "Films")
    reviewers = Group.objects.get(name="Reviewers")
    reviewers.permissions.remove(*reviewers.permissions.filter(codename="edit_every_placement"))
    written("hide", name="ours", where="category=war", placements=["trending"])
    publisher.post(f"{RULES}publish/", {"do": "publish"})
    assert [spec.name for spec in versions.published()] == ["ours"]
    theirs = written("hide", name="theirs", where="category=war", placements=["homepage"])
    refused = publisher.post(f"{RULES}publish/", {"do": "publish"})
    assert '"theirs" would change. Only Front may edit homepage' in said(refused)
    assert [spec.name for spec in versions.published()] == ["ours"]
    version = versions.publish_draft()
    for do in ("roll_back", "publish"):
        theirs.delete() if do == "publish" and theirs.pk else None
        publisher.post(f"{RULES}publish/", {"do": do})
        assert [spec.name for spec in versions.published()] == ["ours", "theirs"]
    restored = publisher.post(f"/admin/recommender/rulesetversion/{version.pk}/change/", {"do": "draft"})
    assert '"theirs" would change' in said(restored)
    assert [rule.name for rule in Rule.objects.all()] == ["ours"]


def test_who_is_closed_out_is_found_in_as_many_queries_whatever_the_placements(
    django_assert_num_queries: Any,
) -> None:
    user = User.objects.create_user("eve")
    user.groups.add(Group.objects.get(name="Editors"))
    for name in ("homepage", "trending", "new"):
        put_in_hands(name, "Front")
    user.has_perm("warm")
    with django_assert_num_queries(2):
        assert placement_access.closed_to(user) == dict.fromkeys(["homepage", "trending", "new"], "Front")


def test_the_list_opens_with_as_many_queries_whatever_its_length(
    staff: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        made = Placement.objects.create(name=f"row-{number}", recipe="new", title="New")
        made.editors.add(Group.objects.get(name="Editors"))
    with django_assert_max_num_queries(8):
        page = staff.get("/admin/recommender/placement/").content.decode()
    assert page.count("Editors") >= 20
