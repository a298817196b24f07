"""Many rules changed at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from catalog.models import Item
from recommender import rule_actions
from recommender.models import Rule
from recommender.rules import draft
from tests.recommender.rule_writing import written

RULES = "/admin/recommender/rule/"
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat")


def of_group(name: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name=name))
    client = Client()
    client.force_login(user)
    return client


def act(client: Client, action: str, *rules: Rule, **typed: Any) -> Any:
    data = {"action": action, "_selected_action": [rule.pk for rule in rules], **typed}
    return client.post(RULES, data, follow=True)


def test_dates_are_shifted_by_days(heat: Item) -> None:
    both = written("hide", items=["heat"], active_from=MARCH, active_until=MARCH + timedelta(days=7))
    start = written("hide", items=["heat"], active_from=MARCH)
    none = written("hide", items=["heat"])
    editor = of_group("Editors")
    assert 'name="days"' in act(editor, "shift", both).text
    answer = act(editor, "shift", both, start, none, confirmed="1", days="-7")
    assert "The dates of 2 rules are 7 days earlier." in answer.text
    earlier = MARCH - timedelta(days=7)
    assert list(Rule.objects.order_by("pk").values_list("active_from", "active_until")) == [
        (earlier, MARCH),
        (earlier, None),
        (None, None),
    ]


@pytest.mark.parametrize("days", ["", "x", "4000", "1.5"])
def test_what_is_no_number_of_days_is_refused(heat: Item, days: str) -> None:
    rule = written("hide", items=["heat"], active_from=MARCH)
    assert 'name="days"' in act(of_group("Editors"), "shift", rule, confirmed="1", days=days).text
    rule.refresh_from_db()
    assert rule.active_from == MARCH


def test_dates_do_not_leave_the_calendar(heat: Item) -> None:
    near = written("hide", items=["heat"], active_from=MARCH)
    far = written("hide", name="far", items=["heat"], active_until=datetime(9999, 12, 30, tzinfo=UTC))
    answer = act(of_group("Editors"), "shift", near, far, confirmed="1", days="7")
    assert "would be beyond the calendar" in answer.text
    near.refresh_from_db()
    assert near.active_from == MARCH


def test_a_copy_has_everything_and_is_off(heat: Item) -> None:
    rule = written(
        "promote", items=["heat"], placements=["homepage"], where="category=Crime", name="x" * 200, slots=2,
        countries=["FR"], weekdays=[5], note="why",
    )  # fmt: skip
    before = draft.spec_of(rule)
    act(of_group("Editors"), "duplicate", rule)
    original, copy = Rule.objects.order_by("pk")
    assert draft.spec_of(original) == before
    assert (copy.is_active, copy.note, copy.name) == (False, "why", "x" * 193 + " (copy)")
    copied = draft.spec_of(copy)
    assert copied.pk != before.pk
    assert [name for name in copied.__struct_fields__ if getattr(copied, name) != getattr(before, name)] == [
        "pk",
        "name",
    ]


def test_rules_are_switched_off_and_on(heat: Item) -> None:
    rules = [written("hide", items=["heat"]) for _ in range(2)]
    editor = of_group("Editors")
    assert "2 rules are not in the next version." in act(editor, "deactivate", *rules).text
    assert not draft.read()
    act(editor, "activate", rules[0])
    assert [spec.pk for spec in draft.read()] == [rules[0].pk]


def test_viewers_change_nothing(heat: Item) -> None:
    rule = written("hide", items=["heat"], active_from=MARCH)
    viewer = of_group("Viewers")
    for action in ("activate", "deactivate", "shift", "duplicate"):
        act(viewer, action, rule, confirmed="1", days="7")
    rule.refresh_from_db()
    assert (rule.is_active, rule.active_from, Rule.objects.count()) == (True, MARCH, 1)


def test_the_queries_do_not_grow_with_the_rules(heat: Item, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        written("hide", items=["heat"], placements=["homepage"], where="category=Crime")
    first = Rule.objects.earliest("pk")
    with django_assert_num_queries(8):
        rule_actions.duplicate(Rule.objects.filter(pk=first.pk))
    with django_assert_num_queries(8):
        rule_actions.duplicate(Rule.objects.all())
