"""Lists for several users in one request."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from interactions.models import Impression
from recommender import serving, tasks
from recommender.exceptions import ModelUnavailable
from recsite import api_keys
from tests.recommender.film_site import FilmSite


@pytest.fixture
def client(site: FilmSite) -> Client:
    return Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read'])}"})


def ask(client: Client, body: Any, status: int = 200) -> dict[str, Any]:
    answer = client.post("/api/v1/recommendations", body, content_type="application/json")
    assert answer.status_code == status, answer.content
    assert answer.headers["Cache-Control"] in ("private, no-store", "no-store")
    document: dict[str, Any] = answer.json()
    return document


def test_each_user_gets_the_list_he_gets_alone(site: FilmSite, client: Client) -> None:
    site.does("ann", ("watch", "alien"))
    answer = ask(client, {"user_ids": ["ann", "stranger"], "context": "homepage", "limit": 2, "expand": "item"})
    assert (answer["accepted"], answer["rejected"]) == (2, 0)
    for index, user_id in enumerate(["ann", "stranger"]):
        verdict = answer["results"][index]
        assert (verdict["index"], verdict["status"], verdict["user_id"]) == (index, "accepted", user_id)
        alone = client.get(
            f"/api/v1/recommendations/{user_id}", {"context": "homepage", "limit": "2", "expand": "item"}
        ).json()
        assert verdict["list"].pop("request_id") != alone.pop("request_id")
        assert verdict["list"] == alone
    assert answer["results"][0]["list"]["recommendations"][0]["reason"] == "Because you watched Alien"


def test_what_is_asked_for_is_asked_for_all(client: Client) -> None:
    answer = ask(client, {"user_ids": ["ann", "bob"], "type": "similar", "item_id": "heat", "exclude": ["ronin"]})
    for verdict in answer["results"]:
        shown = [item["item_id"] for item in verdict["list"]["recommendations"]]
        assert (verdict["list"]["seed_item_id"], shown[0]) == ("heat", "thief")
        assert "ronin" not in shown


def test_every_list_counts_as_shown_to_its_user(client: Client) -> None:
    ask(client, {"user_ids": ["ann", "bob"], "limit": 2})
    tasks.write_impressions()
    assert sorted(Impression.objects.values_list("user_id_text", flat=True)) == ["ann", "ann", "bob", "bob"]


def test_a_bad_id_is_told_by_its_place_and_harms_nobody(client: Client) -> None:
    answer = ask(client, {"user_ids": ["", 7, "ann", "x" * 201, "ann"]})
    assert (answer["accepted"], answer["rejected"]) == (1, 4)
    told = [(verdict["status"], verdict.get("code"), verdict.get("field")) for verdict in answer["results"]]
    assert told == [
        ("rejected", "id_invalid", "user_ids[0]"),
        ("rejected", "type", "user_ids[1]"),
        ("accepted", None, None),
        ("rejected", "id_invalid", "user_ids[3]"),
        ("rejected", "user_twice", "user_ids[4]"),
    ]


def test_a_failure_of_ours_is_that_users_only(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = serving.recommend

    def fail_for_bob(user_id: str, **asked: Any) -> Any:
        if user_id == "bob":
            raise ModelUnavailable("gone")
        return real(user_id, **asked)

    monkeypatch.setattr(serving, "recommend", fail_for_bob)
    answer = ask(client, {"user_ids": ["bob", "ann"]})
    assert [verdict.get("code") for verdict in answer["results"]] == ["model_unavailable", None]
    assert "gone" not in str(answer)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "field_required", "user_ids"),
        ({"user_ids": "ann"}, 400, "type", "user_ids"),
        ({"user_ids": ["ann"] * 101}, 413, "too_many_users", "user_ids"),
        ({"user_ids": ["ann"], "users": []}, 400, "field_unknown", "users"),
        ({"user_ids": ["ann"], "limit": "3"}, 400, "type", "limit"),
        ({"user_ids": ["ann"], "limit": True}, 400, "type", "limit"),
        ({"user_ids": ["ann"], "limit": 101}, 400, "param_range", "limit"),
        ({"user_ids": ["ann"], "type": "best"}, 400, "param_invalid", "type"),
        ({"user_ids": ["ann"], "type": "similar"}, 400, "field_required", "item_id"),
        ({"user_ids": ["ann"], "type": 1}, 400, "type", "type"),
        ({"user_ids": ["ann"], "exclude": "heat"}, 400, "type", "exclude"),
        ({"user_ids": ["ann"], "exclude": [1]}, 400, "type", "exclude[0]"),
        ({"user_ids": ["ann"], "context": "nowhere"}, 404, "placement_unknown", None),
        ({"user_ids": ["ann"], "type": "similar", "item_id": "nothing"}, 404, "item_unknown", None),
        ([], 400, "body_type", None),
    ],
    ids=str,
)
def test_what_is_wrong_for_all_refuses_the_whole(
    client: Client, body: Any, status: int, code: str, field: str | None
) -> None:
    error = ask(client, body, status)["error"]
    assert (error["code"], error["field"]) == (code, field)
    assert tasks.write_impressions() == 0


def test_nobody_is_asked_for(client: Client) -> None:
    assert ask(client, {"user_ids": []}) == {"accepted": 0, "rejected": 0, "results": []}


def test_a_publishable_key_may_not(site: FilmSite) -> None:
    key = api_keys.create("page", ["read"], ["https://www.example.org"])
    client = Client(headers={"Authorization": f"Api-Key {key}"})
    assert ask(client, {"user_ids": ["ann"]}, 403)["error"]["code"] == "scope_missing"
