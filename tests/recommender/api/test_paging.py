"""A list page by page: nothing twice, nothing missing, the same whatever is published in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from catalog.models import Item
from interactions.erasure import erase_user
from interactions.models import Impression
from recommender import tasks
from recsite import api_keys
from tests.recommender.conftest import Commit
from tests.recommender.film_site import FILMS, FilmSite
from tests.recommender.rule_writing import published

pytestmark = pytest.mark.usefixtures("each_redis")


@pytest.fixture
def client(site: FilmSite) -> Client:
    return Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read'])}"})


def page(client: Client, cursor: str = "", path: str = "recommendations/ann", **query: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{path}", {"limit": "3", **query, "cursor": cursor})
    assert answer.status_code == 200, answer.content
    assert answer.headers["Cache-Control"] == "private, no-store"
    document: dict[str, Any] = answer.json()
    return document


def refusal(client: Client, cursor: str, path: str = "recommendations/ann", **query: str) -> tuple[int, str, str]:
    answer = client.get(f"/api/v1/{path}", {"limit": "3", **query, "cursor": cursor})
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["field"]


def ids(made: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in made["recommendations"]]


def all_pages(client: Client, **query: str) -> list[dict[str, Any]]:
    pages = [page(client, **query)]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(page(client, cursor, **query))
    return pages


def test_pages_have_every_item_once_and_one_request_id(site: FilmSite, client: Client) -> None:
    pages = all_pages(client)
    assert [len(ids(one)) for one in pages] == [3, 3, 3]
    assert sorted([item_id for one in pages for item_id in ids(one)]) == sorted(FILMS)
    assert len({one["request_id"] for one in pages}) == 1
    whole = client.get("/api/v1/recommendations/ann", {"limit": "100"}).json()
    assert "next_cursor" not in whole
    assert [item_id for one in pages for item_id in ids(one)] == ids(whole)


def test_the_pages_of_a_similar_list(client: Client) -> None:
    first = page(client, path="similar/heat")
    second = page(client, first["next_cursor"], path="similar/heat")
    assert (first["seed_item_id"], first["title"]) == (second["seed_item_id"], second["title"])
    assert ids(first) + ids(second) == ids(client.get("/api/v1/similar/heat", {"limit": "6"}).json())


def test_the_next_page_is_of_the_list_as_it_was(site: FilmSite, client: Client, commit: Commit) -> None:
    first = page(client)
    before = page(client, first["next_cursor"])
    with commit():
        published("pin", items=["coco"], position=1)
        site.publish()
    site.does("ann", ("watch", "alien"))
    assert page(client, first["next_cursor"]) == before
    assert {item["model_version"] for item in first["recommendations"] + before["recommendations"]} == {"v1"}
    anew = page(client)
    assert ids(anew)[0] == "coco"
    assert anew["recommendations"][0]["model_version"] == "v2"


def test_a_page_can_be_read_again_and_in_another_size(client: Client) -> None:
    first = page(client)
    second = page(client, first["next_cursor"])
    assert ids(page(client, first["next_cursor"])) == ids(second)
    assert ids(page(client, first["next_cursor"], limit="2", expand="item")) == ids(second)[:2]


def test_what_has_been_hidden_meanwhile_is_left_out(site: FilmSite, client: Client, commit: Commit) -> None:
    _, second, third = (ids(one) for one in all_pages(client))
    cursor = page(client)["next_cursor"]
    with commit():
        item = Item.objects.get(item_id=second[0])
        item.is_active = False
        item.save()
    assert ids(page(client, cursor)) == [*second[1:], third[0]]


def test_what_is_shown_is_recorded_page_by_page(client: Client) -> None:
    first = page(client)
    tasks.write_impressions()
    assert Impression.objects.count() == 3
    page(client, first["next_cursor"])
    tasks.write_impressions()
    noted = Impression.objects.order_by("position").values_list("position", "request_id", "user_id_text")
    assert [(position, str(request_id), user) for position, request_id, user in noted] == [
        (position, first["request_id"], "ann") for position in range(6)
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"path": "recommendations/bob"},
        {"path": "similar/heat"},
        {"type": "trending"},
        {"exclude": "coco"},
        {"context": "trending"},
        {"language": "fr"},
        {"consent": "0"},
    ],
    ids=str,
)
def test_a_cursor_of_another_list_is_refused(client: Client, change: dict[str, str]) -> None:
    cursor = page(client)["next_cursor"]
    assert refusal(client, cursor, **change) == (400, "cursor_invalid", "cursor")


@pytest.mark.parametrize("altered", ["{0}x", "x{0}", "{0}{0}", "x", "é\0", "{0[0]}"])
def test_an_altered_cursor_is_refused(client: Client, altered: str) -> None:
    assert refusal(client, altered.format(page(client)["next_cursor"])) == (400, "cursor_invalid", "cursor")


def test_a_cursor_cannot_be_moved(client: Client) -> None:
    name, start, signature = page(client)["next_cursor"].split(".")
    assert start == "3"
    assert refusal(client, f"{name}.0.{signature}") == (400, "cursor_invalid", "cursor")


def test_a_list_that_is_no_longer_kept_says_so(client: Client) -> None:
    cursor = page(client)["next_cursor"]
    assert erase_user("ann")["kept_lists"] == 1
    answer = client.get("/api/v1/recommendations/ann", {"limit": "3", "cursor": cursor}).json()["error"]
    assert answer["code"] == "cursor_invalid"
    assert "expired" in answer["message"]


def test_of_one_user_only_so_many_lists_are_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.kept_lists.MOST_OF_A_USER", 2)
    oldest, newest = [page(client)["next_cursor"] for _ in range(3)][::2]
    assert refusal(client, oldest)[1] == "cursor_invalid"
    assert len(ids(page(client, newest))) == 3


def test_without_redis_there_is_one_page(models: Path, client: Client, dead_redis: Any) -> None:
    made = page(client)
    assert (len(ids(made)), made["next_cursor"]) == (3, None)


def test_nobody_in_particular_can_page_on(client: Client) -> None:
    first = page(client, consent="0")
    assert len(set(ids(first) + ids(page(client, first["next_cursor"], consent="0")))) == 6
