"""What a rule brings or costs is told from the users it is kept from, as hashed in serving, and not too early."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from interactions.list_responses import Hours, Responses
from recommender import rule_effects, tasks
from recommender.models import Rule, RuleEffect, RuleSetVersion, ServedRules
from recommender.rule_effects import measure, measure_due, serving_since
from recommender.rules import versions
from recommender.rules.schedule import Schedule
from recommender.rules.viewer import is_held_out
from recommender.rules.vocabulary import Action, Audience, RuleSpec
from tests.recommender.rule_writing import published, written

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = RuleSpec(pk=5, action=Action.HIDE, name="Half", holdout=0.5)

Shown = Callable[..., list[dict[str, object]]]


def users(spec: RuleSpec, held_out: bool, n: int) -> list[str]:
    """Return the first `n` users whom the rule is kept from, or the first who get it."""
    names = (f"u{number}" for number in range(100_000))
    chosen = (name for name in names if is_held_out(spec, name) == held_out)
    return [next(chosen) for _ in range(n)]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Let users have been shown two lists each: `got` and `held` of (users, users with one click)."""
    asked: list[dict[str, object]] = []

    def let(spec: RuleSpec, got: tuple[int, int], held: tuple[int, int]) -> list[dict[str, object]]:
        rows = [
            Responses(user_id=name, lists=2, taken_from=number < clicks)
            for is_held, (n, clicks) in ((False, got), (True, held))
            for number, name in enumerate(users(spec, is_held, n))
        ]

        def responses(since: datetime, until: datetime, **limits: object) -> list[Responses]:
            asked.append({"since": since, "until": until, **limits})
            return rows

        monkeypatch.setattr(rule_effects, "responses", responses)
        return asked

    return let


def measured(spec: RuleSpec = RULE, since: datetime = NOON - timedelta(days=2)) -> rule_effects.Effect:
    return measure(spec, since, NOON)


def test_the_difference_of_two_shares_with_its_interval(shown: Shown) -> None:
    shown(RULE, got=(400, 120), held=(400, 80))
    effect = measured()
    assert (effect.got.users, effect.got.lists, effect.got.taken_from, effect.got.with_click) == (400, 800, 120, 120)
    assert (effect.held_out.users, effect.held_out.click_through_rate, effect.held_out.share_with_click) == (
        400, 0.1, 0.2,
    )  # fmt: skip
    # 0.3 - 0.2; standard error √(0.3·0.7/400 + 0.2·0.8/400) = 0.030414; 1.959964 of it.
    assert effect.difference == pytest.approx(0.1)
    assert (effect.low, effect.high) == (pytest.approx(0.1 - 0.059610, abs=1e-5), pytest.approx(0.159610, abs=1e-5))
    assert (effect.split_p, effect.obstacle) == (1.0, "")
    assert effect.verdict.startswith("The rule brings clicks")


@pytest.mark.parametrize(
    ("got", "held", "verdict"),
    [
        ((400, 80), (400, 120), "The rule costs clicks"),
        ((400, 80), (400, 81), "No difference can be told yet"),
        ((120, 60), (99, 10), "Not enough users yet: 99 in the smaller group, and 100 are needed."),
        ((0, 0), (0, 0), "Not enough users yet: 0 in"),
        ((600, 300), (400, 100), "The groups are not of the sizes that the holdout gives"),
        ((200, 0), (200, 0), "Zero or negative variance"),
    ],
)
def test_the_verdict_is_honest(shown: Shown, got: tuple[int, int], held: tuple[int, int], verdict: str) -> None:
    shown(RULE, got=got, held=held)
    effect = measured()
    assert effect.verdict.startswith(verdict)
    if effect.obstacle:
        assert (effect.difference, effect.low, effect.high) == (0.0, 0.0, 0.0)


def test_only_the_rules_time_placements_and_countries_are_asked_for(shown: Shown) -> None:
    spec = msgspec.structs.replace(
        RULE,
        audience=Audience(placements=("homepage",), countries=("FR",), devices=("tv",), segments=("new",)),
        schedule=Schedule(
            since=(NOON - timedelta(days=1)).timestamp(),
            until=(NOON - timedelta(hours=1)).timestamp(),
            weekdays=(6, 7),
            opens=60,
            closes=120,
            time_zone="Europe/Paris",
        ),
    )
    asked = shown(spec, (0, 0), (0, 0))
    assert measured(spec).diluted_by == ["devices", "segments"]
    assert asked[0] == {
        "since": NOON - timedelta(days=1),
        "until": NOON - timedelta(hours=1),
        "placements": ("homepage",),
        "countries": ("FR",),
        "hours": Hours(opens=60, closes=120, weekdays=(6, 7), time_zone="Europe/Paris"),
    }


def test_a_rule_that_has_not_begun_reads_nothing(shown: Shown) -> None:
    asked = shown(RULE, (0, 0), (0, 0))
    measured(msgspec.structs.replace(RULE, schedule=Schedule(since=(NOON + timedelta(days=1)).timestamp())))
    assert asked == []


def test_no_more_than_so_many_days_are_read(shown: Shown) -> None:
    asked = shown(RULE, (0, 0), (0, 0))
    measured(since=NOON - timedelta(days=400))
    assert asked[0]["since"] == NOON - timedelta(days=rule_effects.MOST_DAYS)


@pytest.mark.django_db
def test_a_rule_serves_unchanged_since_it_was_first_published_so() -> None:
    rule = published("hide", name="A", where="category=war", holdout_percent=10)
    published("hide", name="B", where="category=love")
    first, second = ServedRules.objects.order_by("pk")
    spec = versions.published()[0]
    assert serving_since(spec) == first.since
    versions.roll_back(None)
    third = ServedRules.objects.latest("pk")
    assert serving_since(spec) == first.since
    versions.roll_back(None)
    assert serving_since(spec) == first.since
    Rule.objects.filter(pk=rule.pk).update(holdout_percent=20)
    versions.publish_draft()
    changed = ServedRules.objects.latest("pk")
    assert serving_since(versions.published()[0]) == changed.since > third.since > second.since
    assert serving_since(spec) is None


@pytest.mark.django_db
def test_a_break_counts_as_a_change() -> None:
    published("hide", name="A", where="category=war", holdout_percent=10)
    versions.roll_back(None)
    versions.roll_back(None)
    assert serving_since(versions.published()[0]) == ServedRules.objects.latest("pk").since


@pytest.mark.django_db
def test_what_is_due_is_measured_and_the_rest_left_alone(shown: Shown) -> None:
    rule = published("hide", name="A", where="category=war", holdout_percent=50)
    published("hide", name="B", where="category=love")
    asked = shown(versions.published()[0], (200, 60), (200, 40))
    assert tasks.measure_rule_effects() == 1
    [held] = RuleEffect.objects.all()
    assert (held.rule_key, held.since) == (rule.pk, ServedRules.objects.earliest("pk").since)
    effect = rule_effects.of_rule(rule.pk)
    assert effect is not None
    assert (effect.got.with_click, effect.held_out.with_click, effect.difference) == (60, 40, pytest.approx(0.1))
    assert (measure_due(), len(asked)) == (0, 1)
    RuleEffect.objects.update(measured_at=timezone.now() - rule_effects.MEASURED_EVERY)
    assert measure_due() == 1
    Rule.objects.filter(pk=rule.pk).update(priority=3)
    versions.publish_draft()
    assert measure_due() == 1
    versions.roll_back(None)
    assert RuleSetVersion.objects.count() == 3


@pytest.mark.django_db
def test_the_page_of_a_rule_shows_it_in_one_more_query(shown: Shown, client: Client) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    rule = published("hide", name="A", where="category=war", holdout_percent=50)
    address = f"/admin/recommender/rule/{rule.pk}/change/"
    assert "It is measured once an hour" in client.get(address).content.decode()
    shown(versions.published()[0], (400, 120), (400, 80))
    measure_due()
    with CaptureQueriesContext(connection) as made:
        page = client.get(address).content.decode()
    assert "The rule brings clicks" in page
    assert "+10.00 percentage points" in page
    assert "(95 % interval +4.04 to +15.96)" in page
    assert "15.0%" in page
    assert not [one for one in made if "impression" in one["sql"]]
    plain = written("hide", name="B", where="category=love")
    assert "What it brings or costs" not in client.get(f"/admin/recommender/rule/{plain.pk}/change/").content.decode()
