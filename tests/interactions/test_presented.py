"""What came of each title and picture is counted person by person and hour by hour."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Item, ItemPresentation
from catalog.redis_store import client, key
from interactions import impression_rows, presented, recording, tasks
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.models import Impression
from interactions.presented import Presented

NOW = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def half_past_twelve(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    presented.forget()
    monkeypatch.setattr(presented.time, "time", NOW.timestamp)
    yield
    presented.forget()


@pytest.fixture
def heat(db: None) -> Item:
    return Item.objects.create(item_id="heat", title="Heat", image_url="/heat.jpg")


def show(
    item: Item, presentation: int | None, *, ago: timedelta = HOUR, user: str = "ann", taken: str = "", p: float = 0.5
) -> None:
    request_id = uuid.uuid4()
    shown = ServedItem(
        item_pk=item.pk, position=0, source="popular", presentation=presentation, presentation_propensity=p
    )
    impression_rows.insert(
        [
            ServedList(
                request_id=request_id,
                shown_at=(NOW - ago).timestamp(),
                user_id=user,
                placement="homepage",
                model_version="v1",
                rules_version=1,
                items=(shown,),
            )
        ]
    )
    if taken:
        event = EventInput(user, item.item_id, taken, NOW - ago + timedelta(minutes=1), request_id=request_id)
        assert [verdict.status for verdict in recording.record([event])] == ["accepted"]


def test_an_hour_of_somebody_is_one_showing_taken_or_not(heat: Item) -> None:
    show(heat, 0)
    show(heat, 0, taken="watch")
    show(heat, 0, ago=2 * HOUR)
    show(heat, 7, user="bob", taken="watch")
    show(heat, 7, user="cem", taken="not_interested")
    show(heat, None, user="dan", taken="watch")
    show(heat, 7, user="eve", ago=timedelta(days=15))
    assert tasks.count_explored() == 1
    assert presented.current() == {heat.pk: {0: (2, 1), 7: (2, 1)}}


def test_the_impression_holds_which_and_how_probable_it_was_or_nothing(heat: Item) -> None:
    show(heat, 7, p=0.25)
    show(heat, None, ago=2 * HOUR)
    noted = Impression.objects.order_by("-shown_at").values_list("presentation", "presentation_propensity")
    assert list(noted) == [(7, 0.25), (None, None)]


def test_after_a_loss_of_redis_the_counts_come_from_postgres(heat: Item) -> None:
    show(heat, 0)
    presented.refresh()
    client().delete(key("presented"))
    presented.forget()
    assert presented.current() == {}
    presented.refresh()
    assert presented.current() == {heat.pk: {0: (1, 0)}}


def test_each_is_told_with_what_it_looks_like_the_most_shown_item_first(heat: Item) -> None:
    ronin = Item.objects.create(item_id="ronin", title="Ronin")
    saga = ItemPresentation.objects.create(item=heat, title="A crime saga", is_active=False)
    poster = ItemPresentation.objects.create(item=ronin, image_url="/ronin-2.jpg")
    show(heat, saga.pk, user="ann", taken="watch")
    show(ronin, 0, user="ann")
    show(ronin, poster.pk, user="bob")
    show(ronin, 999, user="cem")
    own = Presented(
        item_pk=ronin.pk,
        item_title="Ronin",
        presentation=0,
        title="Ronin",
        image_url="",
        is_active=True,
        shown=1,
        taken=0,
    )
    other = Presented(
        item_pk=ronin.pk, item_title="Ronin", presentation=poster.pk, title="Ronin", image_url="/ronin-2.jpg",
        is_active=True, shown=1, taken=0,
    )  # fmt: skip
    off = Presented(
        item_pk=heat.pk, item_title="Heat", presentation=saga.pk, title="A crime saga", image_url="/heat.jpg",
        is_active=False, shown=1, taken=1,
    )  # fmt: skip
    assert presented.by_item(5) == [own, other, off]
    assert presented.by_item(1) == [own, other]
