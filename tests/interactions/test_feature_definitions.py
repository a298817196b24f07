"""Each feature, as its definition says: online it is what Postgres says now, and nothing later changes what was."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.models import Item
from catalog.redis_store import client
from interactions import explored, feature_store, features, impression_rows, popularity, profiles
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.feature_definitions import Feature, definitions
from interactions.recording import record
from tests.interactions.conftest import create_items

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = [feature.name for feature in definitions()]
SUBJECTS: dict[str, Callable[[], list[Any]]] = {
    "user": lambda: ["ann", "bob", "cyn", "nobody"],
    "item": lambda: list(Item.objects.order_by("pk").values_list("pk", flat=True)),
    "country": lambda: ["FR", "DE", "XX"],
    "category": lambda: ["film", "space", "none"],
    "site": lambda: [""],
}


@pytest.fixture(autouse=True)
def nothing_held() -> None:
    popularity.forget()
    explored.forget()


def named(name: str) -> Feature:
    return next(feature for feature in definitions() if feature.name == name)


def event(user_id: str, item_id: str, kind: str, hours_ago: float, **fields: Any) -> EventInput:
    return EventInput(user_id, item_id, kind, NOW - timedelta(hours=hours_ago), **fields)


def show(item_pk: int, hours_ago: float) -> None:
    shown = ServedItem(item_pk=item_pk, position=0, source=explored.SOURCE)
    impression_rows.insert(
        [
            ServedList(
                request_id=uuid.uuid4(),
                shown_at=(NOW - timedelta(hours=hours_ago)).timestamp(),
                user_id="ann",
                placement="homepage",
                model_version="v1",
                rules_version=1,
                items=(shown,),
            )
        ]
    )


def fill(items: dict[str, int]) -> None:
    """Two users, one of whom has said where he lives and what he likes; events of 90 days; two items explored."""
    Item.objects.filter(item_id__in=["alien", "up"]).update(category="space")
    profiles.store("ann", country="FR", preferences={"categories": ["Comedy"], "items": ["up"]})
    profiles.store("cyn", consent="withheld")
    record(
        [
            event("ann", "heat", "watch", 5, value=3.0),
            event("ann", "alien", "click", 4),
            event("ann", "heat", "view", 3),
            event("bob", "alien", "purchase", 50, context={"country": "DE"}),
            event("bob", "up", "rating", 90 * 24, value=4.5),
            event("bob", "heat", "not_interested", 2),
        ]
    )
    show(items["up"], 24)
    show(items["up"], 20 * 24)
    show(items["alien"], 1)


@pytest.mark.parametrize("name", NAMES)
def test_online_is_what_postgres_says_now(committed: dict[str, int], name: str) -> None:
    for user_id in ("ann", "bob"):
        features.load(user_id)
    fill(committed)
    for user_id in ("ann", "bob"):
        features.load(user_id)
    record([event("ann", "inception", "watch", 1, value=5.0), event("bob", "inception", "click", 1)])
    popularity.refresh()
    explored.refresh()
    feature = named(name)
    if feature.entity == "user":
        # What is compared comes from Redis, appended to: not from Postgres by another way.
        assert all(feature_store.read(user_id)[0].is_known for user_id in ("ann", "bob"))
    values = {subject: feature.online(subject) for subject in SUBJECTS[feature.entity]()}
    assert len({repr(value) for value in values.values()}) > 1 or feature.entity == "site"
    for subject, value in values.items():
        expected = feature.as_of(subject, datetime.now(UTC))
        assert value == (pytest.approx(expected) if isinstance(value, float | dict) else expected)


def test_they_say_what_was(items: dict[str, int]) -> None:
    fill(items)
    heat, alien, up = items["heat"], items["alien"], items["up"]
    four_hours_ago = NOW - timedelta(hours=4)
    history = named("history").as_of("ann", four_hours_ago)
    assert [(pk, at, value) for pk, _, at, value in history] == [
        (alien, four_hours_ago.timestamp(), None),
        (heat, (NOW - timedelta(hours=5)).timestamp(), 3.0),
    ]
    assert named("seen").as_of("bob", four_hours_ago) == sorted([alien, up])
    assert named("seen").as_of("bob", NOW) == sorted([alien, up, heat])
    assert named("seen").as_of("bob", NOW - timedelta(days=91)) == []
    # Of the 5 hours after: heat by one hour, alien by 46 and, of another user, anew.
    five = NOW - timedelta(hours=5)
    assert named("trending").as_of("", five) == pytest.approx({heat: 1.0, alien: 1.5 * 0.5 ** (45 / 48)})
    assert named("trending by country").as_of("DE", five) == pytest.approx({alien: 1.5 * 0.5 ** (45 / 48)})
    assert named("trending by category").as_of("space", five) == pytest.approx({alien: 1.5 * 0.5 ** (45 / 48)})
    assert named("popularity").as_of(up, NOW - timedelta(days=30)) == 1.0
    assert [named("explored").as_of(pk, NOW - timedelta(days=10)) for pk in (up, alien)] == [1, 0]
    assert [named("explored").as_of(pk, NOW) for pk in (up, alien)] == [1, 1]


EVENTS = st.tuples(
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(["heat", "alien", "up", "inception"]),
    st.sampled_from(["watch", "click", "purchase", "not_interested", "rating"]),
    st.floats(-48, 48).filter(lambda hours: abs(hours) > 0.001),
    st.sampled_from([None, {"country": "FR"}, {"country": "DE"}]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENTS, min_size=1, max_size=12))
def test_nothing_that_comes_later_changes_what_was(db: None, events: Any) -> None:
    """A model that learns what was known at a moment learns nothing of what came after."""
    moment = NOW - timedelta(days=3)
    before = [one for one in events if one[3] > 0]
    after = [one for one in events if one[3] < 0]

    def store(chosen: Any) -> None:
        for user_id, item_id, kind, hours, context in chosen:
            at = moment - timedelta(hours=hours)
            record([EventInput(user_id, item_id, kind, at, value=2.0, context=context)])

    def told() -> dict[tuple[str, Any], Any]:
        return {
            (feature.name, subject): feature.as_of(subject, moment)
            for feature in definitions()
            for subject in SUBJECTS[feature.entity]()
            if feature.keeps_history
        }

    with transaction.atomic():
        pk = create_items()["heat"]
        # Known from the start: what a profile says has no past, and is no event.
        for user_id in ("ann", "bob"):
            profiles.store(user_id)
        show(pk, 80)
        store(before)
        then = told()
        store(after)
        show(pk, 70)
        assert told() == then
        transaction.set_rollback(True)


def test_what_redis_holds_of_a_user_is_what_is_defined(committed: dict[str, int]) -> None:
    """No field without a definition but the bookkeeping, no definition without a field, and the stated lifetime."""
    fill(committed)
    assert len(features.load("ann", with_shown=True)[0].shown) == 3
    defined = [feature for feature in definitions() if feature.entity == "user"]
    fields = {feature.redis_key.split(" ")[1] for feature in defined}
    bookkeeping = {"g", "k", "t"}
    assert fields | bookkeeping == {*feature_store.FIELDS, feature_store.SHOWN}
    for feature in defined:
        redis_key, field = feature.redis_key.replace("{user_id}", "ann").split(" ")
        assert client().hexists(redis_key, field)
        assert feature.lifetime_seconds is not None
        assert feature.lifetime_seconds - 60 <= client().ttl(redis_key) <= feature.lifetime_seconds


def test_what_redis_holds_of_items_is_what_is_defined(committed: dict[str, int]) -> None:
    fill(committed)
    popularity.refresh()
    explored.refresh()
    for feature in definitions():
        if feature.entity != "user" and feature.redis_key:
            assert feature.lifetime_seconds is not None
            assert feature.lifetime_seconds - 60 <= client().ttl(feature.redis_key) <= feature.lifetime_seconds


def test_the_command_lists_them(committed: dict[str, int]) -> None:
    fill(committed)
    features.load("ann")
    output = io.StringIO()
    call_command("features", stdout=output)
    lines = output.getvalue().splitlines()
    for feature in definitions():
        place = lines.index(f"{feature.name} ({feature.entity}): {feature.type}")
        assert lines[place + 1 : place + 3] == [f"    unit: {feature.unit}", f"    from: {feature.source}"]
        assert feature.redis_key in lines[place + 3]
    # Only of Ann, whom somebody has read.
    assert lines[-1] == "Redis holds 1 users."
