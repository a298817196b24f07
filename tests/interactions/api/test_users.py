from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from catalog.redis_store import client, key
from experiments.models import Experiment, Exposure, Metric
from interactions import features, impressions, stale_histories
from interactions.contracts import EventInput, ServedItem, ServedList
from interactions.models import DeadLetter, Event, EventKey, Impression, StaleHistory, UserProfile
from interactions.recording import record
from tests.interactions.api.conftest import Send

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def act(user_id: str, item_id: str = "heat", **fields: Any) -> None:
    record([EventInput(user_id, item_id, "watch", fields.pop("at", NOON), **fields)])


def show(user_id: str, item_pk: int, number: int = 1) -> None:
    items = (ServedItem(item_pk=item_pk, position=0, source="content"),)
    impressions.record(
        [
            ServedList(
                request_id=UUID(int=number),
                shown_at=NOON.timestamp(),
                user_id=user_id,
                placement="home",
                model_version="v1",
                rules_version=1,
                items=items,
            )
        ]
    )


def test_creates_then_changes_only_what_is_given(committed: dict[str, int], send: Send) -> None:
    answer = send("PUT", "users/ann", {"country": "fr", "preferences": {"a": 1}})
    assert answer.status_code == 201
    created = UserProfile.objects.get()
    assert answer.json() == {
        "user_id": "ann",
        "country": "FR",
        "preferences": {"a": 1},
        "consent": "granted",
        "consent_at": None,
        "consent_version": "",
        "created_at": f"{created.created_at:%Y-%m-%dT%H:%M:%S.%f}Z",
    }
    answer = send("PUT", "users/ann", {"consent": "withheld"})
    assert (answer.status_code, answer.json()["consent"], answer.json()["country"]) == (200, "withheld", "FR")


def test_a_changed_consent_shows_on_the_next_request(committed: dict[str, int], send: Send) -> None:
    act("ann")
    assert len(features.load("ann")[0].item_pks) == 1
    send("PUT", "users/ann", {"consent": "withheld"})
    assert (features.load("ann")[0].consent, len(features.load("ann")[0].item_pks)) == (False, 0)
    send("PUT", "users/ann", {"consent": "granted"})
    assert len(features.load("ann")[0].item_pks) == 1


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"consent": "maybe"}, "field_invalid", "consent"),
        ({"country": "FRA"}, "field_invalid", "country"),
        ({"country": 1}, "field_invalid", "country"),
        ({"preferences": []}, "type", "preferences"),
        ({"preferences": {"categories": "Comedy"}}, "type", "preferences.categories"),
        ({"preferences": {"tags": ["heist", 1]}}, "type", "preferences.tags[1]"),
        ({"preferences": {"items": ["a"] * 101}}, "too_long", "preferences.items"),
        ({"preferences": {"a": "x" * 40_000}}, "too_long", "preferences"),
        ({"account": 1}, "field_unknown", "account"),
        ({"preferences": {"a": "\0"}}, "string_nul", "preferences.a"),
    ],
)
def test_refuses_a_field(db: None, send: Send, body: dict[str, Any], code: str, field: str) -> None:
    answer = send("PUT", "users/ann", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (400, code, field)
    assert not UserProfile.objects.exists()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_refuses_what_is_no_id(db: None, send: Send, method: str) -> None:
    answer = send(method, "users/a%00b", {} if method == "PUT" else None)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "id_invalid")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_needs_the_scope_users(db: None, send: Send, method: str) -> None:
    answer = send(method, "users/ann", {} if method == "PUT" else None, scopes=("events",))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_missing")


def test_exports_everything_of_a_person(committed: dict[str, int], send: Send) -> None:
    act("ann", event_id=UUID(int=5), value=2.5, context={"a": 1})
    act("bob")
    show("ann", committed["up"])
    impressions.write_pending()
    received = f"{Event.objects.get(user__user_id='ann').received_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    exported = send("GET", "users/ann").json()
    moment = f"{NOON:%Y-%m-%dT%H:%M:%S}Z"
    assert (exported["user_id"], exported["consent"]) == ("ann", "granted")
    assert exported["events"] == [
        {
            "event_id": str(UUID(int=5)),
            "item_id": "heat",
            "event_type": "watch",
            "timestamp": moment,
            "received_at": received,
            "value": 2.5,
            "context": {"a": 1},
            "request_id": None,
        }
    ]
    (impression,) = exported["impressions"]
    assert (impression["request_id"], impression["item_id"]) == (str(UUID(int=1)), "up")
    assert (impression["shown_at"], impression["placement"], impression["position"]) == (moment, "home", 0)
    assert (exported["refused_events"], exported["exposures"], exported["shadow_lists"]) == ([], [], [])


def test_who_was_only_shown_lists_is_told_so(committed: dict[str, int], send: Send) -> None:
    show("carl", committed["up"])
    impressions.write_pending()
    exported = send("GET", "users/carl").json()
    assert (exported["user_id"], exported["consent"], len(exported["impressions"])) == ("carl", None, 1)


def test_when_and_to_which_text_somebody_agreed_is_kept(db: None, send: Send) -> None:
    first = send("PUT", "users/ann", {"country": "FR"}).json()
    assert (first["consent"], first["consent_at"], first["consent_version"]) == ("granted", None, "")
    agreed = send("PUT", "users/ann", {"consent": "granted", "consent_version": "2026-01"}).json()
    assert agreed["consent_version"] == "2026-01"
    withdrawn = send("PUT", "users/ann", {"consent": "withheld"}).json()
    assert withdrawn["consent_at"] > agreed["consent_at"]
    assert send("PUT", "users/ann", {"consent_version": "x" * 51}).json()["error"]["code"] == "too_long"


def test_an_unknown_person_is_404(db: None, send: Send) -> None:
    answer = send("GET", "users/nobody")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "user_unknown")


def test_erases_every_trace_of_a_person(committed: dict[str, int], send: Send) -> None:
    for user_id in ("ann", "bob"):
        act(user_id, event_id=UUID(int=ord(user_id[0])))
        act(user_id, "later")
        show(user_id, committed["up"], ord(user_id[0]))
        features.load(user_id)
    impressions.write_pending()
    show("ann", committed["up"], 1)
    show("bob", committed["up"], 2)
    answer = send("DELETE", "users/ann")
    assert answer.json() == {
        "user_id": "ann",
        "erased": {
            "impressions_waiting": 1,
            "impressions": 1,
            "event_keys": 1,
            "events": 1,
            "dead_letters": 1,
            "exposures": 0,
            "shadow_lists": 0,
            "kept_lists": 0,
            "kept_answers": 0,
            "profiles": 1,
        },
    }
    impressions.write_pending()
    assert set(UserProfile.objects.values_list("user_id", flat=True)) == {"bob"}
    assert Event.objects.get().user.user_id == "bob"
    assert EventKey.objects.get().event_id == UUID(int=ord("b"))
    assert list(Impression.objects.values_list("user_id_text", flat=True)) == ["bob", "bob"]
    assert '"user_id": "bob"' in DeadLetter.objects.get().payload
    assert features.load("ann")[0].known is False
    assert send("DELETE", "users/ann").json()["erased"]["events"] == 0


def test_erases_what_the_apps_above_hold_of_a_person(db: None, send: Send) -> None:
    metric = Metric.objects.create(name="watches", event_type="watch")
    experiment = Experiment.objects.create(experiment_id="e", name="E", primary_metric=metric)
    for unit in ("ann", "bob"):
        Exposure.objects.create(experiment=experiment, phase=1, unit=unit, variant="a", exposed_at=timezone.now())
    assert send("DELETE", "users/ann").json()["erased"]["exposures"] == 1
    assert list(Exposure.objects.values_list("unit", flat=True)) == ["bob"]


@pytest.mark.usefixtures("each_redis")
def test_nothing_in_redis_names_an_erased_person(committed: dict[str, int], send: Send) -> None:
    act("ann")
    show("ann", committed["up"])
    features.load("ann")
    send("DELETE", "users/ann")
    stale_histories.mend()
    assert not StaleHistory.objects.exists()
    for name in client().scan_iter(key("*ann*")):
        # The bare generation, until its minute is over.
        assert client().hkeys(name) == [b"g"]
        assert 0 < client().ttl(name) <= 60


def test_a_merge_moves_the_history_and_shows_at_once(committed: dict[str, int], send: Send) -> None:
    act("anon", "alien", at=NOON - timedelta(hours=1))
    act("ann", "heat")
    show("anon", committed["up"])
    impressions.write_pending()
    features.load("anon")
    features.load("ann")
    answer = send("POST", "users/merge", {"from": "anon", "to": "ann"})
    assert answer.status_code == 200
    assert answer.json() == {"from": "anon", "to": "ann", "moved": {"events": 1, "impressions": 1}}
    assert features.load("ann")[0].item_pks.tolist() == [committed["heat"], committed["alien"]]
    assert features.load("anon")[0].known is False
    assert Impression.objects.get().user_id_text == "ann"
    act("anon", "alien", at=NOON - timedelta(hours=1))
    assert Event.objects.count() == 2


def test_a_merge_creates_the_known_user(committed: dict[str, int], send: Send) -> None:
    UserProfile.objects.create(user_id="anon", country="DE", preferences={"a": 1, "b": 1})
    UserProfile.objects.create(user_id="ann", preferences={"a": 2})
    assert send("POST", "users/merge", {"from": "anon", "to": "ann"}).status_code == 200
    merged = UserProfile.objects.get()
    assert (merged.user_id, merged.country, merged.preferences) == ("ann", "DE", {"a": 2, "b": 1})


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"from": "nobody", "to": "ann"}, 404, "user_unknown", "from"),
        ({"from": "ann", "to": "ann"}, 400, "request_invalid", "from"),
        ({"to": "ann"}, 400, "field_required", "from"),
        ({"from": "anon"}, 400, "field_required", "to"),
        ({"from": "anon", "to": 5}, 400, "type", "to"),
        ({"from": "member", "to": "ann"}, 409, "merge_refused", "from"),
    ],
)
def test_refuses_a_merge(
    db: None, send: Send, django_user_model: Any, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    account = django_user_model.objects.create(username="member")
    UserProfile.objects.create(user_id="member", account=account)
    answer = send("POST", "users/merge", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (status, code, field)
    assert list(UserProfile.objects.values_list("user_id", flat=True)) == ["member"]
