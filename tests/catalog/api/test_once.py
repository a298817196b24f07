"""The same request under the same key does nothing more and is answered as the first time."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.api import once, views
from catalog.models import AnsweredRequest, Item
from interactions.models import Event, UserProfile
from recsite import api_keys
from tests.catalog.api.conftest import JsonClient

HEAT = {"items": [{"item_id": "heat", "title": "Heat"}]}
UP = {"items": [{"item_id": "up", "title": "Up"}]}
REFUSED = {"items": "none"}
KEY = {"Idempotency-Key": "k-1"}


def client(*scopes: str) -> JsonClient:
    api_keys.forget()
    return JsonClient(headers={"Authorization": f"Api-Key {api_keys.create('shop', scopes)}"})


def test_the_answer_is_the_first_one_and_nothing_more_is_done(api: JsonClient) -> None:
    first = api.send("POST", "items", HEAT, **KEY)
    assert first.json()["created"] == 1
    Item.objects.all().delete()
    again = api.send("POST", "items", HEAT, **KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert (again["Idempotent-Replayed"], "Idempotent-Replayed" in first) == ("true", False)
    assert not Item.objects.exists()
    assert api.send("POST", "items", HEAT).json()["created"] == 1


def test_another_request_under_the_key_is_refused(api: JsonClient) -> None:
    api.send("POST", "items", HEAT, **KEY)
    refused = api.send("POST", "items", UP, **KEY)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "idempotency_key_reused")
    assert Item.objects.get().item_id == "heat"


def test_a_refusal_leaves_the_key_unused(api: JsonClient) -> None:
    assert api.send("POST", "items", REFUSED, **KEY).status_code == 400
    assert not AnsweredRequest.objects.exists()
    assert api.send("POST", "items", HEAT, **KEY).json()["created"] == 1


def test_what_fails_half_way_keeps_neither_its_rows_nor_an_answer(
    api: JsonClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upsert_and_fail(records: Any) -> None:
        Item.objects.create(item_id="half", title="Half")
        raise RuntimeError

    api.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(views, "upsert_items", upsert_and_fail)
        assert api.send("POST", "items", HEAT, **KEY).status_code == 500
    assert not Item.objects.exists()
    assert api.send("POST", "items", HEAT, **KEY).json()["created"] == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(api: JsonClient, key: str) -> None:
    refused = api.send("POST", "items", HEAT, **{"Idempotency-Key": key})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "idempotency_key_invalid")
    assert not Item.objects.exists()


def test_255_characters_are_a_key(api: JsonClient) -> None:
    assert api.send("POST", "items", HEAT, **{"Idempotency-Key": "x" * 255}).status_code == 200


def test_two_senders_may_use_the_same_key(api: JsonClient) -> None:
    api.send("POST", "items", HEAT, **KEY)
    assert client("catalog").send("POST", "items", UP, **KEY).json()["created"] == 1


def test_one_key_is_for_one_route(api: JsonClient) -> None:
    sender = client("catalog", "events")
    assert sender.send("POST", "items", HEAT, **KEY).status_code == 200
    assert sender.send("POST", "events", HEAT, **KEY).json()["error"]["code"] == "idempotency_key_reused"


@pytest.mark.django_db
def test_an_event_without_an_id_counts_once() -> None:
    Item.objects.create(item_id="heat", title="Heat")
    sender, event = client("events"), {"user_id": "ann", "item_id": "heat", "event_type": "watch"}
    answers = [sender.send("POST", "events", event, **KEY) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["accepted"] == Event.objects.count() == 1


@pytest.mark.django_db
def test_a_merge_sent_again_is_answered_again() -> None:
    UserProfile.objects.create(user_id="anon")
    sender, body = client("users"), {"from": "anon", "to": "ann"}
    answers = [sender.send("POST", "users/merge", body, **KEY) for _ in range(2)]
    assert [answer.json() for answer in answers] == [{**body, "moved": {"events": 0, "impressions": 0}}] * 2
    assert sender.send("POST", "users/merge", body).json()["error"]["code"] == "user_unknown"


@pytest.mark.usefixtures("committing_database")
def test_while_the_first_is_under_way_the_second_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sender, upsert = client("catalog"), views.upsert_items
    entered, go_on, answers = threading.Event(), threading.Event(), list[Any]()

    def slow(records: Any) -> Any:
        entered.set()
        assert go_on.wait(60)
        return upsert(records)

    def send() -> None:
        answers.append(sender.send("POST", "items", HEAT, **KEY))
        connection.close()

    monkeypatch.setattr(views, "upsert_items", slow)
    first = threading.Thread(target=send)
    first.start()
    assert entered.wait(60)
    second = sender.send("POST", "items", HEAT, **KEY)
    go_on.set()
    first.join(60)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "idempotency_key_in_use")
    assert answers[0].json()["created"] == Item.objects.count() == 1
    assert sender.send("POST", "items", HEAT, **KEY).content == answers[0].content


def test_an_answer_is_kept_for_a_day(api: JsonClient) -> None:
    api.send("POST", "items", HEAT, **KEY)
    api.send("POST", "items", UP, **{"Idempotency-Key": "k-2"})
    old = AnsweredRequest.objects.order_by("answered_at").first()
    AnsweredRequest.objects.filter(pk=old.pk).update(answered_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert once.forget_old() == 1
    assert api.send("POST", "items", HEAT, **KEY).json()["unchanged"] == 1
    assert api.send("POST", "items", UP, **{"Idempotency-Key": "k-2"}).json()["created"] == 1


@pytest.mark.django_db
def test_answers_that_name_somebody_are_erased_with_him() -> None:
    for number, who in enumerate(("ann", "ann-2", 'a"n')):
        answer = json.dumps({"from": f"visitor-{number}", "to": who})
        AnsweredRequest.objects.create(name=str(number), asked="", status=200, answer=answer)
    assert [once.erase(who) for who in ("ann", 'a"n', "nn")] == [1, 1, 0]
    assert AnsweredRequest.objects.get().name == "1"
