"""A version's page says in words what it changes, and does what reviewers do: publish, reject, roll back."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommender import serving
from recommender.models import Rule, RuleSetVersion
from recommender.rules import versions
from recsite.models import AuditEntry
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import published, written

LIST = "/admin/recommender/rulesetversion/"
PUBLISH = "/admin/recommender/rule/publish/"


@pytest.fixture
def reviewer(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("reviewer"))
    return client


def act(client: Client, version: RuleSetVersion, do: str, **fields: str) -> Any:
    return client.post(f"{LIST}{version.pk}/change/", {"do": do, **fields}, follow=True)


def shown(client: Client, version: RuleSetVersion) -> str:
    answer = client.get(f"{LIST}{version.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def part(page: str, title: str) -> str:
    return page.split(title)[1].split("All its rules")[0].split("Compared with")[0]


def now_serving() -> list[str]:
    return [spec.name for spec in versions.published()]


def test_a_version_is_compared_in_words_with_what_serves_and_with_the_one_before(
    site: FilmSite, reviewer: Client
) -> None:
    with site.commit():
        kept = published("boost", name="Crime pays", where="category=crime", multiplier=2)
        published("pin", name="Heat first", items=["heat"], position=1)
        Rule.objects.filter(name="Heat first").delete()
        Rule.objects.filter(pk=kept.pk).update(multiplier=3, countries=["FR"])
        written("hide", name="No comedy", where="category=comedy")
        waiting = versions.submit(User.objects.get(), "for the summer")
    first, serving_now = RuleSetVersion.objects.order_by("pk")[:2]
    page = shown(reviewer, waiting)
    assert f"Compared with version {serving_now.pk}, which serves now" in page
    assert page.count("Compared with") == 1
    assert ("It waits for a review." in page, "by reviewer: “for the summer”" in page) == (True, True)
    assert 'data-what="changes"' in page
    assert "does: boost × 2 → boost × 3" in page
    assert "countries: nothing said → FR" in page
    assert 'data-what="goes"' in page
    assert "does: pin to position 1" in page
    assert "items: Heat" in page
    assert 'data-what="is new"' in page
    assert "items that meet: category is comedy" in page
    assert "&quot;pk&quot;" not in page
    old = shown(reviewer, first)
    assert f"Compared with version {serving_now.pk}, which serves now" in old
    assert 'data-what="goes"' in part(old, f"version {serving_now.pk}, which serves now")
    assert "Compared with no rules, as it was before the first version" in old
    assert 'data-what="is new"' in part(old, "before the first version")


def test_rejecting_takes_a_reason_which_the_editor_reads(reviewer: Client) -> None:
    written("hide", name="war", where="category=war")
    version = versions.submit(None)
    answer = act(reviewer, version, "reject", review="  ")
    assert "Say why, so that the editor knows what to change." in answer.content.decode()
    version.refresh_from_db()
    assert (version.state, version.review) == ("submitted", "")
    act(reviewer, version, "reject", review="War films stay <b>on</b>.")
    version.refresh_from_db()
    assert (version.state, version.review, version.reviewed_by) == (
        "rejected", "War films stay <b>on</b>.", User.objects.get(),
    )  # fmt: skip
    page = shown(reviewer, version)
    assert "Rejected by reviewer: “War films stay &lt;b&gt;on&lt;/b&gt;.”" in page
    assert 'value="publish"' not in page
    assert (
        f"Version {version.pk} was rejected</strong> by reviewer: “War films stay"
        in reviewer.get(PUBLISH).content.decode()
    )
    assert "was rejected; submit the draft again" in act(reviewer, version, "publish").content.decode()
    assert "does not wait for a review" in act(reviewer, version, "reject", review="again").content.decode()
    assert now_serving() == []


def test_publishing_and_rolling_back_are_one_click_and_show_on_the_next_request(
    site: FilmSite, reviewer: Client
) -> None:
    with site.commit():
        written("pin", name="one", items=["coco"], position=1)
        first = versions.submit(None)
        written("pin", name="two", items=["up"], position=2)
        second = versions.submit(None)
    for version, names, head in ((first, ["one"], ["coco"]), (second, ["one", "two"], ["coco", "up"])):
        with site.commit():
            act(reviewer, version, "publish")
        assert now_serving() == names
        assert ids(serving.recommend("", context="trending"))[: len(head)] == head
    assert "Roll back to this version" in shown(reviewer, first)
    assert "Roll back to this version" not in shown(reviewer, second)
    before = AuditEntry.objects.filter(table="recommender_activerules").count()
    with site.commit():
        act(reviewer, first, "publish")
    assert now_serving() == ["one"]
    assert ids(serving.recommend("", context="trending"))[1] != "up"
    [note] = AuditEntry.objects.filter(table="recommender_activerules")[:1]
    assert AuditEntry.objects.filter(table="recommender_activerules").count() == before + 1
    assert note.actor == "reviewer"
    assert (note.before or {})["version_id"] == second.pk
    assert (note.after or {})["version_id"] == first.pk


def test_no_rules_at_all_can_be_rolled_back_to(site: FilmSite, reviewer: Client) -> None:
    with site.commit():
        published("pin", name="one", items=["coco"], position=1)
    assert "Roll back to no rules at all" in reviewer.get(PUBLISH).content.decode()
    with site.commit():
        answer = reviewer.post(PUBLISH, {"do": "roll_back"}, follow=True)
    assert "No rules serve now" in answer.content.decode()
    assert now_serving() == []
    assert ids(serving.recommend("", context="trending"))[0] == "heat"
    assert "Compared with no rules, which is what serves now" in shown(reviewer, RuleSetVersion.objects.get())
    with site.commit():
        reviewer.post(PUBLISH, {"do": "roll_back"})
    assert now_serving() == ["one"]


def test_a_version_becomes_the_draft_again(reviewer: Client) -> None:
    published("hide", name="one", where="category=war")
    version = RuleSetVersion.objects.get()
    Rule.objects.all().delete()
    act(reviewer, version, "draft")
    assert [rule.name for rule in Rule.objects.all()] == ["one"]


def test_who_may_only_look_changes_nothing(client: Client, db: None) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_rulesetversion"))
    client.force_login(user)
    written("hide", name="war", where="category=war")
    version = versions.submit(None)
    assert 'name="do"' not in shown(client, version)
    for do in ("publish", "reject", "draft", ""):
        assert act(client, version, do, review="no").status_code == 403
    version.refresh_from_db()
    assert (version.state, now_serving()) == ("submitted", [])
    user.user_permissions.clear()
    assert client.get(f"{LIST}{version.pk}/change/").status_code == 403
    assert client.get(f"{LIST}999/change/").status_code in (302, 403)


def test_the_pages_need_as_many_queries_with_many_versions(reviewer: Client) -> None:
    for number in range(3):
        published("hide", name=f"early {number}", where="category=war")
    second = RuleSetVersion.objects.order_by("pk")[1]

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as made:
            assert reviewer.get(address).status_code == 200
        return len(made)

    pages = (LIST, f"{LIST}{second.pk}/change/", PUBLISH)
    # Reads the catalogue, once a process.
    queries(pages[1])
    few = [queries(address) for address in pages]
    for number in range(5):
        published("hide", name=f"more {number}", where="category=war")
    assert [queries(address) for address in pages] == few
