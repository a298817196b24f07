from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog.models import Item
from interactions import impressions
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.models import DeadLetter, Event, EventType, Impression, UserProfile
from interactions.recording import record

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture
def staff(items: dict[str, int]) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


def events(count: int) -> None:
    record([EventInput(f"user{n}", "heat", "watch", NOON + timedelta(seconds=n)) for n in range(count)])


def impression(number: int, item_pk: int) -> None:
    served = ServedList(
        request_id=UUID(int=number),
        shown_at=NOON.timestamp(),
        user_id="ann",
        placement="home",
        model_version="v1",
        rules_version=1,
        items=(ServedItem(item_pk=item_pk, position=0, source="content"),),
    )
    impressions.record([served])
    impressions.write_pending()


@pytest.mark.parametrize("count", [3, 60])
def test_the_events_take_the_same_queries_whatever_their_number(
    staff: Client, count: int, django_assert_max_num_queries: Any
) -> None:
    events(count)
    # Session and user; event types of the filter; partitions, newest first until one has rows; count; page; items.
    with django_assert_max_num_queries(14) as queries:
        page = staff.get("/admin/interactions/event/")
    assert page.status_code == 200
    assert page.content.decode().count("Heat") >= count
    assert not any("COUNT(*)" in query["sql"] and "LIMIT 10000" not in query["sql"] for query in queries)


def test_events_are_found_by_user_request_and_id(staff: Client, items: dict[str, int]) -> None:
    events(3)
    record([EventInput("ann", "up", "view", NOON, UUID(int=1), request_id=UUID(int=2))])
    for term in ("ann", str(UUID(int=1)), str(UUID(int=2))):
        page = staff.get("/admin/interactions/event/", {"q": term})
        (found,) = page.context["cl"].result_list
        assert found.event_id == UUID(int=1)
    assert len(staff.get("/admin/interactions/event/", {"q": "nobody"}).context["cl"].result_list) == 0


def test_an_event_of_a_deleted_item_is_still_listed(staff: Client, items: dict[str, int]) -> None:
    events(1)
    Item.objects.filter(item_id="heat").delete()
    assert f"deleted ({items['heat']})" in staff.get("/admin/interactions/event/").content.decode()


def test_one_event_can_be_read_and_not_changed(staff: Client) -> None:
    events(1)
    address = f"/admin/interactions/event/{Event.objects.get().pk}/change/"
    assert staff.get(address).status_code == 200
    assert staff.post(address, {"value": "3"}).status_code == 403
    assert staff.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert Event.objects.get().value is None


def test_impressions_are_listed_and_found_by_user(staff: Client, items: dict[str, int]) -> None:
    impression(1, items["heat"])
    assert "Heat" in staff.get("/admin/interactions/impression/").content.decode()
    (found,) = staff.get("/admin/interactions/impression/", {"q": "ann"}).context["cl"].result_list
    assert found.request_id == UUID(int=1)
    assert staff.get("/admin/interactions/impression/add/").status_code == 403


def test_saving_a_person_keeps_the_id(staff: Client) -> None:
    profile = UserProfile.objects.create(user_id="ann")
    address = f"/admin/interactions/userprofile/{profile.pk}/change/"
    answer = staff.post(address, {"user_id": "bob", "country": "FR", "consent": "withheld", "preferences": "{}"})
    assert answer.status_code == 302
    profile.refresh_from_db()
    assert (profile.user_id, profile.country, profile.consent) == ("ann", "FR", "withheld")


def test_deleting_a_person_erases_the_events(staff: Client, items: dict[str, int]) -> None:
    events(2)
    impression(1, items["heat"])
    profile = UserProfile.objects.get(user_id="user0")
    staff.post(f"/admin/interactions/userprofile/{profile.pk}/delete/", {"post": "yes"})
    assert Event.objects.get().user.user_id == "user1"
    selected = {"action": "delete_selected", "_selected_action": list(UserProfile.objects.values_list("pk", flat=True))}
    staff.post("/admin/interactions/userprofile/", {**selected, "post": "yes"})
    assert not Event.objects.exists()
    assert not UserProfile.objects.exists()


def test_event_types_cannot_be_renamed_or_deleted(staff: Client) -> None:
    click = EventType.objects.get(name="click")
    address = f"/admin/interactions/eventtype/{click.pk}/change/"
    assert staff.post(address, {"name": "klick", "weight": "0.4"}).status_code == 302
    click.refresh_from_db()
    assert (click.name, click.weight, click.marks_seen) == ("click", 0.4, False)
    assert staff.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_dead_letters_are_replayed(staff: Client) -> None:
    record([EventInput("ann", "later", "watch", NOON), EventInput("ann", "never", "watch", NOON)])
    Item.objects.create(item_id="later", title="Later")
    chosen = list(DeadLetter.objects.values_list("pk", flat=True))
    answer = staff.post(
        "/admin/interactions/deadletter/", {"action": "replay_selected", "_selected_action": chosen}, follow=True
    )
    assert "1 of 2 events are stored now." in answer.content.decode()
    assert Event.objects.count() == 1
    assert dict(DeadLetter.objects.values_list("item_id", "replayed_at"))["never"] is None
    assert DeadLetter.objects.count() == 2


@pytest.mark.parametrize("model", ["userprofile", "eventtype", "deadletter", "impression"])
def test_every_list_and_search_answers(staff: Client, model: str) -> None:
    UserProfile.objects.create(user_id="ann")
    assert staff.get(f"/admin/interactions/{model}/").status_code == 200
    assert staff.get(f"/admin/interactions/{model}/", {"q": "a%00'\"; --"}).status_code == 200
    assert Impression.objects.count() == 0
