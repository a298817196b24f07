"""Whatever is changed in admin is noted, with what it was before; nobody can change or delete the note."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve

from catalog.models import Item
from recommender.models import Placement, Rule
from recommender.rules import versions
from recsite.audit import AuditMiddleware
from recsite.models import AuditEntry
from tests.recommender.rule_writing import written

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("eve"))
    return client


def entries() -> list[tuple[str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("actor", "action", "table"))


def test_a_change_is_noted_with_both_sides(editor: Client) -> None:
    placement = Placement.objects.get(name="trending")
    fields = ("name", "page", "position", "recipe", "title", "limit", "minimum")
    form = {name: getattr(placement, name) for name in fields} | {"title": "Hot", "explores": "on", "is_active": "on"}
    assert editor.post(f"/admin/recommender/placement/{placement.pk}/change/", form).status_code == 302
    [entry] = AuditEntry.objects.filter(table="recommender_placement")
    assert (entry.actor, entry.action, entry.row) == ("eve", "update", str(placement.pk))
    assert (entry.before["title"], entry.after["title"]) == ("Trending {place}", "Hot")
    page = editor.get("/admin/recsite/auditentry/").content.decode()
    assert "title: Trending {place} → Hot" in page


def test_bulk_actions_and_deletions_are_noted_row_by_row(editor: Client) -> None:
    rules = [written("hide", name=name, where="category=war") for name in "ab"]
    chosen = {"_selected_action": [rule.pk for rule in rules]}
    editor.post("/admin/recommender/rule/", {"action": "deactivate", **chosen})
    assert entries() == [("eve", "update", "recommender_rule")] * 2
    editor.post("/admin/recommender/rule/", {"action": "delete_selected", "post": "yes", **chosen})
    assert not Rule.objects.exists()
    assert (
        sorted(entries()[2:])
        == [("eve", "delete", "recommender_rule")] * 2 + [("eve", "delete", "recommender_ruleclause")] * 2
    )


def test_what_is_not_done_in_admin_is_not_noted() -> None:
    written("hide", where="category=war")
    Item.objects.create(item_id="heat", title="Heat")
    assert entries() == []


def test_a_password_is_never_in_the_record(editor: Client) -> None:
    form = {"username": "bob", "password1": "c0rrect-horse", "password2": "c0rrect-horse", "usable_password": "true"}
    editor.post("/admin/auth/user/add/", form)
    [entry] = AuditEntry.objects.filter(table="auth_user", action="insert")
    assert (entry.after["username"], "password" in entry.after) == ("bob", False)


@pytest.mark.parametrize("statement", ["UPDATE recsite_auditentry SET actor = 'x'", "DELETE FROM recsite_auditentry"])
def test_a_note_stays_as_it_is(editor: Client, statement: str) -> None:
    rule = written("hide", where="category=war")
    editor.post("/admin/recommender/rule/", {"action": "deactivate", "_selected_action": [rule.pk]})
    noted = list(AuditEntry.objects.values())
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(statement)
    assert list(AuditEntry.objects.values()) == noted != []


def write_and_fail(*args: object) -> HttpResponse:
    written("hide", where="category=war")
    raise ValueError("broken")


def test_a_crash_takes_everything_back(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "publish_draft", write_and_fail)
    editor.raise_request_exception = False
    assert editor.post("/admin/recommender/rule/publish/", {"do": "publish"}).status_code == 500
    assert (Rule.objects.count(), entries()) == (0, [])


def test_an_answer_that_is_an_error_takes_everything_back(editor: Client) -> None:
    def refuse(request: HttpRequest) -> HttpResponse:
        written("hide", where="category=war")
        return HttpResponse(status=403)

    request = RequestFactory().post("/admin/recommender/rule/")
    request.user, request.resolver_match = User.objects.get(), resolve("/admin/recommender/rule/")
    answer = AuditMiddleware(refuse).process_view(request, refuse, (), {})
    assert answer is not None
    assert answer.status_code == 403
    assert (Rule.objects.count(), entries()) == (0, [])
