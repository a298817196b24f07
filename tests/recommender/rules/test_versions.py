from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError

from catalog import revisions
from recommender.exceptions import RulesRefused
from recommender.models import ActiveRules, Rule, RuleSetVersion, ServedRules
from recommender.rules import draft, versions
from recommender.rules.vocabulary import Action
from tests.recommender.rule_writing import published, written

pytestmark = pytest.mark.django_db


def rules_revision() -> int:
    return revisions.from_database()[revisions.RULES]


def serving() -> list[str]:
    return [spec.name for spec in versions.published()]


def test_nothing_serves_before_the_first_publication() -> None:
    before = rules_revision()
    written("hide", where="category=war")
    assert (serving(), rules_revision()) == ([], before)


def test_a_draft_is_submitted_reviewed_and_published() -> None:
    ann, bob = User.objects.create(username="ann"), User.objects.create(username="bob")
    written("hide", where="category=war")
    version = versions.submit(ann, "No war on Sundays")
    assert (version.state, version.submitted_by, version.note, serving()) == ("submitted", ann, "No war on Sundays", [])
    Rule.objects.update(name="changed since")
    before = rules_revision()
    versions.publish(version, bob)
    version.refresh_from_db()
    assert (version.state, version.published_by, serving()) == ("published", bob, ["hide"])
    assert rules_revision() > before


def test_a_rejected_version_is_never_published() -> None:
    written("hide", where="category=war")
    version = versions.submit(None)
    versions.reject(version, None, "too much")
    for call in (lambda: versions.publish(version, None), lambda: versions.reject(version, None, "again")):
        with pytest.raises(RulesRefused):
            call()
    version.refresh_from_db()
    assert (version.state, version.review, serving()) == ("rejected", "too much", [])


def test_rolling_back_is_there_and_back_again() -> None:
    with pytest.raises(RulesRefused, match="no earlier version"):
        versions.roll_back(None)
    published("hide", name="one", where="category=war")
    published("hide", name="two", where="category=love")
    assert serving() == ["one", "two"]
    versions.roll_back(None)
    assert serving() == ["one"]
    versions.roll_back(None)
    assert serving() == ["one", "two"]


def test_rolling_back_the_first_publication_leaves_no_rules_and_is_undone() -> None:
    published("hide", name="one", where="category=war")
    before = rules_revision()
    assert versions.roll_back(None) is None
    assert (serving(), rules_revision() > before) == ([], True)
    versions.roll_back(None)
    assert serving() == ["one"]
    versions.roll_back(None)
    published("hide", name="two", where="category=love")
    assert serving() == ["one", "two"]
    assert versions.roll_back(None) is None
    assert serving() == []


def test_what_served_from_when_on_is_noted() -> None:
    ann = User.objects.create(username="ann")
    published("hide", name="one", where="category=war")
    first = RuleSetVersion.objects.get()
    published("hide", name="two", where="category=love")
    versions.publish(first, ann)
    versions.publish(first, ann)
    newest, *others = ServedRules.objects.all()
    assert (newest.version, newest.by, [one.version == first for one in others]) == (first, ann, [False, True])
    assert newest.since > others[0].since > others[1].since


def test_publishing_the_same_version_again_keeps_the_way_back() -> None:
    published("hide", name="one", where="category=war")
    published("hide", name="two", where="category=love")
    versions.publish(RuleSetVersion.objects.latest("pk"), None)
    versions.roll_back(None)
    assert serving() == ["one"]


def test_a_version_is_not_rejected_without_a_reason() -> None:
    written("hide", where="category=war")
    version = versions.submit(None)
    with pytest.raises(RulesRefused, match="Say why"):
        versions.reject(version, None, "  ")
    version.refresh_from_db()
    assert (version.state, version.review) == ("submitted", "")


def test_rules_that_contradict_each_other_are_refused_and_nothing_is_stored() -> None:
    written("boost", where="category=war", multiplier=0.5)
    with pytest.raises(RulesRefused, match="multiplies by more than 1") as refused:
        versions.publish_draft()
    assert len(refused.value.reasons) == 1
    assert (RuleSetVersion.objects.count(), ActiveRules.objects.count(), serving()) == (0, 0, [])


def test_a_failing_publication_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    published("hide", name="one", where="category=war")
    written("hide", name="two", where="category=love")

    def fail(self: ActiveRules, **fields: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(ActiveRules, "save", fail)
    with pytest.raises(DatabaseError):
        versions.publish_draft()
    assert (RuleSetVersion.objects.count(), serving()) == (1, ["one"])


def test_a_version_can_be_made_the_draft_again() -> None:
    published("hide", name="one", where="category=war")
    first = RuleSetVersion.objects.get()
    Rule.objects.all().delete()
    published("boost", name="two", where="category=love", multiplier=3)
    versions.restore(first)
    assert (draft.read(), serving()) == (versions.specs_of(first), ["two"])


def test_the_difference_is_told_rule_by_rule() -> None:
    kept = written("hide", name="kept", where="category=war")
    gone = written("hide", name="gone", where="category=love")
    changed = written("boost", name="changed", where="category=love", multiplier=2)
    before, gone_pk = draft.read(), gone.pk
    gone.delete()
    Rule.objects.filter(pk=changed.pk).update(multiplier=4, priority=1)
    new = written("bury", name="new", where="category=love", multiplier=0.5)
    found = versions.difference(before, draft.read())
    assert [(one.pk, one.name, one.before is None, one.after is None) for one in found] == [
        (gone_pk, "gone", False, True),
        (changed.pk, "changed", False, False),
        (new.pk, "new", True, False),
    ]
    assert found[1].before is not None
    assert found[1].after is not None
    assert (found[1].before.multiplier, found[1].after.multiplier) == (2.0, 4.0)
    assert kept.pk not in {one.pk for one in found}
    assert found[2].after is not None
    assert found[2].after.action == Action.BURY
