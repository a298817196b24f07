"""What is too old goes by whole partitions; what is not stays, to the row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.conf import settings as django_settings

from interactions import partitions, retention, stale_histories
from interactions.models import DeadLetter, Event, StaleHistory, UserProfile
from interactions.tasks import maintain_partitions

NOW = datetime(2026, 6, 15, tzinfo=UTC)
MOMENTS = [datetime(2026, month, 20, tzinfo=UTC) for month in (1, 2, 3, 4, 5)]

pytestmark = pytest.mark.django_db


@pytest.fixture
def events() -> list[Event]:
    """One in the middle of each month from January to May."""
    ann = UserProfile.objects.create(user_id="ann")
    partitions.ensure("interactions_event", MOMENTS[0], MOMENTS[-1])
    fields: dict[str, Any] = {"user": ann, "item_id": 1, "event_type_id": 1, "received_at": NOW}
    made = [Event(event_id=UUID(int=n), occurred_at=moment, **fields) for n, moment in enumerate(MOMENTS)]
    return Event.objects.bulk_create(made)


@time_machine.travel(NOW, tick=False)
def test_partitions_that_are_wholly_too_old_are_dropped(events: list[Event], settings: django_settings) -> None:
    settings.INTERACTIONS_RETENTION_DAYS = 90  # since March 17
    assert retention.drop_old() == ["interactions_event_y2026m01", "interactions_event_y2026m02"]
    left = Event.objects.order_by("occurred_at").values_list("occurred_at", flat=True)
    assert list(left) == MOMENTS[2:]
    assert [one.user_id for one in StaleHistory.objects.all()] == ["ann"]
    assert retention.drop_old() == []
    stale_histories.mend()


@time_machine.travel(NOW, tick=False)
def test_what_has_no_partition_and_what_was_refused_goes_too(settings: django_settings) -> None:
    settings.INTERACTIONS_RETENTION_DAYS = 90
    ann = UserProfile.objects.create(user_id="ann")
    Event.objects.create(
        occurred_at=datetime(1971, 1, 1, tzinfo=UTC), user=ann, item_id=1, event_type_id=1, received_at=NOW
    )
    assert partitions.default_rows("interactions_event") == 1
    old = DeadLetter.objects.create(code="item_unknown", message="", payload="{}")
    DeadLetter.objects.filter(pk=old.pk).update(received_at=MOMENTS[0])
    new = DeadLetter.objects.create(code="item_unknown", message="", payload="{}")
    retention.drop_old()
    assert not Event.objects.exists()
    assert list(DeadLetter.objects.all()) == [new]


@time_machine.travel(NOW, tick=False)
def test_without_the_setting_everything_stays(events: list[Event], settings: django_settings) -> None:
    settings.INTERACTIONS_RETENTION_DAYS = None
    maintain_partitions()
    assert Event.objects.count() == len(MOMENTS)
