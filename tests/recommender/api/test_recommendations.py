from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from interactions.models import Impression
from recommender import tasks
from recommender.api.views import PageView, RecommendationsView, SimilarView
from recsite import api_keys
from tests.recommender.film_site import FILMS, FilmSite
from tests.recommender.rule_writing import published

LIST_KEYS = {
    "recommendations", "experiment_id", "variant", "request_id", "placement", "title", "seed_item_id", "fallback",
    "fallback_reason",
}  # fmt: skip
ITEM_KEYS = {"item_id", "score", "reason", "model_version"}
CARD_KEYS = {"title", "description", "category", "tags", "creators", "image_url", "url", "year"}


class Api:
    """A client with a key that may read."""

    def __init__(self) -> None:
        self.client = Client(headers={"Authorization": f"Api-Key {api_keys.create('test', ['read'])}"})

    def get(self, path: str, status: int = 200, **query: str) -> dict[str, Any]:
        response = self.client.get(f"/api/v1/{path}", query)
        assert response.status_code == status, response.content
        document: dict[str, Any] = response.json()
        return document


@pytest.fixture
def api(db: None, models: Path) -> Api:
    return Api()


def test_a_list_has_the_documented_shape(site: FilmSite, api: Api) -> None:
    site.does("ann", ("watch", "alien"))
    made = api.get("recommendations/ann", limit="2", context="homepage")
    assert set(made) == LIST_KEYS
    request_id = made.pop("request_id")
    assert str(UUID(request_id)) == request_id
    first, second = made.pop("recommendations")
    assert made == {
        "experiment_id": None,
        "variant": None,
        "placement": "homepage",
        "title": "For you",
        "seed_item_id": None,
        "fallback": False,
        "fallback_reason": None,
    }
    assert 0 <= second["score"] < first.pop("score") < 1
    assert first == {"item_id": "arrival", "reason": "Because you watched Alien", "model_version": "v1"}
    assert set(second) == ITEM_KEYS


def test_an_answer_is_for_one_user_only(api: Api) -> None:
    response = api.client.get("/api/v1/recommendations/ann")
    assert response.headers["Cache-Control"] == "private, no-store"


def test_an_unknown_user_is_no_error(site: FilmSite, api: Api) -> None:
    made = api.get("recommendations/stranger")
    assert (made["fallback"], made["fallback_reason"]) == (True, "unknown_user")
    assert made["recommendations"][0]["item_id"] == "heat"


def test_the_cards_come_when_asked_for(site: FilmSite, api: Api) -> None:
    made = api.get("recommendations/ann", expand="item", limit="1")
    assert set(made["recommendations"][0]) == ITEM_KEYS | {"item"}
    card = made["recommendations"][0]["item"]
    assert set(card) == CARD_KEYS
    assert (card["title"], card["category"], card["tags"], card["year"]) == ("Heat", "crime", ["crime"], 2000)
    assert (card["image_url"], card["url"]) == (None, "/items/heat/")


def test_the_trace_comes_when_asked_for(api: Api) -> None:
    made = api.get("recommendations/ann", explain="1")
    assert set(made) == LIST_KEYS | {"trace"}
    assert set(made["trace"]) == {"milliseconds", "stages"}
    assert set(made["trace"]["stages"][0]) == {"kind", "stage", "in", "out", "milliseconds", "removed", "error"}
    assert set(api.get("recommendations/ann", explain="0")) == LIST_KEYS


def test_parameters_reach_the_door(site: FilmSite, api: Api) -> None:
    site.does("ann", ("watch", "alien"))
    made = api.get("recommendations/ann", type="trending", exclude="heat, ronin,,absent", limit="2")
    assert [item["item_id"] for item in made["recommendations"]] == ["thief", "airplane"]
    assert made["placement"] == "trending"
    watched = api.get("recommendations/ann", type="because_you_watched")
    assert (watched["seed_item_id"], watched["title"]) == ("alien", "Because you watched Alien")


def test_similar_items_have_the_same_shape(site: FilmSite, api: Api) -> None:
    made = api.get("similar/heat", limit="2")
    assert set(made) == LIST_KEYS
    assert (made["seed_item_id"], made["title"], made["fallback"]) == ("heat", "Similar to Heat", False)
    assert {item["item_id"] for item in made["recommendations"]} == {"ronin", "thief"}
    assert [set(item) for item in made["recommendations"]] == [ITEM_KEYS] * 2
    by_type = api.get("recommendations/ann", type="similar", item_id="heat", limit="2")
    assert [item["item_id"] for item in by_type["recommendations"]] == [
        item["item_id"] for item in made["recommendations"]
    ]


def test_similar_items_shown_to_a_user_are_his_impressions(site: FilmSite, api: Api) -> None:
    api.get("similar/heat", user_id="ann", limit="2")
    assert tasks.write_impressions() == 2
    assert set(Impression.objects.values_list("user_id_text", flat=True)) == {"ann"}


def test_a_page_has_several_lists_and_no_item_twice(site: FilmSite, api: Api) -> None:
    site.does("ann", ("watch", "alien"))
    made = api.get("pages/home", user_id="ann", limit="3")
    assert set(made) == {"page", "carousels"}
    assert made["page"] == "home"
    assert [set(carousel) for carousel in made["carousels"]] == [LIST_KEYS] * len(made["carousels"])
    shown = [item["item_id"] for carousel in made["carousels"] for item in carousel["recommendations"]]
    assert len(made["carousels"]) > 1
    assert len(shown) == len(set(shown))
    assert api.get("pages/home")["carousels"][0]["fallback"] is True


def test_a_pinned_item_says_so(site: FilmSite, api: Api) -> None:
    with site.commit():
        published("pin", items=["coco"], position=1)
    first = api.get("recommendations/ann")["recommendations"][0]
    assert (first["item_id"], first["reason"]) == ("coco", "Picked by our editors")


@pytest.mark.parametrize("path", ["recommendations/ann", "similar/heat", "pages/home"])
def test_a_limit_is_a_whole_number_from_one_to_a_hundred(api: Api, path: str) -> None:
    for limit in ("0", "-1", "abc", "1e9", "101", "", "10.5", "٣", " 5", "9" * 5000):
        error = api.get(path, 400, limit=limit)["error"]
        assert (error["code"], error["field"]) == ("param_range", "limit")
        assert error["message"] == f"limit must be 1..100, not {limit[:20]!r}."


LONG = "x" * 201
MANY = ",".join(f"item-{number}" for number in range(501))


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "field"),
    [
        ("recommendations/ann", {"exclude": MANY}, 400, "too_long", "exclude"),
        ("recommendations/ann", {"type": "best"}, 400, "param_invalid", "type"),
        ("recommendations/ann", {"type": ""}, 400, "param_invalid", "type"),
        ("recommendations/ann", {"type": "similar"}, 400, "field_required", "item_id"),
        ("recommendations/ann", {"type": "similar", "item_id": ""}, 400, "id_invalid", "item_id"),
        ("recommendations/ann", {"type": "similar", "item_id": "dune"}, 404, "item_unknown", None),
        ("recommendations/ann", {"type": "similar", "item_id": "a\0b"}, 400, "id_invalid", "item_id"),
        ("recommendations/ann", {"context": "attic"}, 404, "placement_unknown", None),
        ("recommendations/ann", {"context": "a\0b"}, 404, "placement_unknown", None),
        ("recommendations/ann", {"context": "product_page"}, 400, "request_invalid", None),
        ("recommendations/ann", {"expand": "user"}, 400, "param_invalid", "expand"),
        ("recommendations/ann", {"explain": "yes"}, 400, "param_invalid", "explain"),
        ("recommendations/ann", {"app_version": "3 1"}, 400, "param_invalid", "app_version"),
        ("recommendations/ann", {"app_version": "3." * 10 + "1"}, 400, "param_invalid", "app_version"),
        ("recommendations/ann", {"user_id": "bob"}, 400, "param_unknown", "user_id"),
        ("recommendations/ann", {"limti": "5"}, 400, "param_unknown", "limti"),
        (f"recommendations/{LONG}", {}, 400, "id_invalid", "user_id"),
        ("recommendations/a%00b", {}, 400, "id_invalid", "user_id"),
        ("recommendations/%20", {}, 400, "id_invalid", "user_id"),
        ("recommendations/a%0Ab", {}, 400, "id_invalid", "user_id"),
        ("recommendations/", {}, 404, "not_found", None),
        ("recommendations/a/b", {}, 404, "not_found", None),
        ("similar/dune", {}, 404, "item_unknown", None),
        ("similar/a%00b", {}, 400, "id_invalid", "item_id"),
        (f"similar/{LONG}", {}, 400, "id_invalid", "item_id"),
        ("similar/heat", {"user_id": "a\0b"}, 400, "id_invalid", "user_id"),
        ("similar/heat", {"context": "cellar"}, 404, "placement_unknown", None),
        ("similar/heat", {"type": "new"}, 400, "param_unknown", "type"),
        ("pages/attic", {}, 404, "placement_unknown", None),
        ("pages/a%00b", {}, 404, "placement_unknown", None),
        ("pages/home", {"item_id": "dune"}, 404, "item_unknown", None),
        ("pages/home", {"user_id": LONG}, 400, "id_invalid", "user_id"),
        ("pages/home", {"explain": "1"}, 400, "param_unknown", "explain"),
    ],
)
def test_a_wrong_request_is_refused_by_code_and_field(
    api: Api, path: str, query: dict[str, str], status: int, code: str, field: str | None
) -> None:
    error = api.get(path, status, **query)["error"]
    assert set(error) == {"code", "message", "field", "index", "request_id", "docs"}
    assert (error["code"], error["field"], error["index"]) == (code, field, None)
    assert tasks.write_impressions() == 0


def test_more_parameters_than_anybody_needs_are_refused(api: Api) -> None:
    response = api.client.get("/api/v1/recommendations/ann?" + "&".join(f"p{number}=1" for number in range(1001)))
    assert response.status_code == 400
    assert response.json()["error"]["code"] in ("request_invalid", "param_unknown")


def test_only_reading_is_possible_and_only_with_a_key(api: Api) -> None:
    assert api.client.post("/api/v1/recommendations/ann").json()["error"]["code"] == "method_not_allowed"
    assert Client().get("/api/v1/recommendations/ann").status_code == 401
    writer = Client(headers={"Authorization": f"Api-Key {api_keys.create('writer', ['events'])}"})
    assert writer.get("/api/v1/similar/heat").json()["error"]["code"] == "scope_missing"


@pytest.mark.parametrize(
    ("view", "path"),
    [
        (RecommendationsView, "/api/v1/recommendations/{user_id}"),
        (SimilarView, "/api/v1/similar/{item_id}"),
        (PageView, "/api/v1/pages/{page}"),
    ],
)
def test_the_document_lists_the_parameters_that_are_taken(view: Any, path: str) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    documented = schema["paths"][path]["get"]["parameters"]
    assert {parameter["name"] for parameter in documented if parameter["in"] == "query"} == set(view.accepted)


def test_all_films_can_be_asked_for(site: FilmSite, api: Api) -> None:
    for item_id in FILMS:
        made = api.get(f"similar/{item_id}", limit="100")
        shown = [item["item_id"] for item in made["recommendations"]]
        assert item_id not in shown
        assert len(shown) == len(set(shown)) > 0
