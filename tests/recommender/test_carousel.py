from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory

from catalog.snapshot import ItemCard, build
from recommender.carousel import card, checked_url, from_list, item_url, shown_item_ids
from recommender.contracts import Recommendation, RecommendationList

REQUEST_ID = UUID("6f1b2a52-6f0c-4b1e-9a53-0d5a1b6f7c11")
ORIGIN = f"request={REQUEST_ID}&position=1&from=homepage"


def answer(*item_ids: str, title: str = "For you", reason: str = "Popular") -> RecommendationList:
    return RecommendationList(
        request_id=REQUEST_ID,
        placement="homepage",
        recipe="personalized",
        title=title,
        items=tuple(
            Recommendation(
                item_id=item_id,
                score=0.5,
                reason=reason,
                source="popular",
                card=ItemCard(item_id=item_id, title=item_id.upper()),
            )
            for item_id in item_ids
        ),
        model_version="v1",
    )


@pytest.mark.parametrize(
    "url",
    ["https://example.org/a?b=1#c", "http://example.org/", "/items/a/", "/items/a/?b=1", "/items/%3Cb%3E/"],
)
def test_an_address_fit_for_a_link_is_kept(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "https:",
        "https:///path",
        "https://[broken",
        "items/a/",
        "?next=1",
        '/items/"onclick=',
        "ftp://example.org/",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    assert checked_url(url) == ""


def test_a_refused_address_leads_to_the_item_page_instead() -> None:
    assert item_url(ItemCard(item_id="a", title="A", url="javascript:alert(1)")) == "/items/a/"


def test_an_id_is_quoted_in_the_address_of_its_page(settings: django_settings) -> None:
    settings.RECOMMENDER_ITEM_URL = "/films/{item_id}"
    (card,) = build([{"id": 1, "item_id": "a/b?c#d", "title": "A"}], revision=1).cards
    assert card.url == "/films/a%2Fb%3Fc%23d"
    assert item_url(card) == "/films/a%2Fb%3Fc%23d"


def test_the_origin_joins_a_path_before_its_fragment_and_never_leaves_the_site() -> None:
    assert item_url(ItemCard(item_id="a", title="A", url="/x?y=1#z"), "request=r") == "/x?y=1&request=r#z"
    assert (
        item_url(ItemCard(item_id="a", title="A", url="https://example.org/a"), "request=r") == "https://example.org/a"
    )


def test_cards_keep_their_position_in_the_answer_when_others_are_left_out() -> None:
    row = from_list(answer("a", "b", "c"), without={"a"})
    assert [(shown.item_id, shown.position) for shown in row.cards] == [("b", 1), ("c", 2)]
    assert row.cards[0].origin == ORIGIN
    assert row.cards[0].url == f"/items/b/?{ORIGIN}"


def test_an_answer_that_repeats_an_item_shows_it_once() -> None:
    assert [shown.item_id for shown in from_list(answer("a", "b", "a")).cards] == ["a", "b"]


def test_a_reason_that_repeats_the_title_is_left_out() -> None:
    assert from_list(answer("a", title="Similar to X", reason="Similar to X")).cards[0].reason == ""
    assert from_list(answer("a", title="Similar to X", reason="Popular")).cards[0].reason == "Popular"


def test_a_picture_with_a_bad_address_is_no_picture() -> None:
    assert card(ItemCard(item_id="a", title="A", image_url="javascript:alert(1)")).image_url == ""


def test_each_request_has_its_own_shown_items() -> None:
    first, second = RequestFactory().get("/"), RequestFactory().get("/")
    shown_item_ids(first).add("a")
    assert shown_item_ids(first) == {"a"}
    assert shown_item_ids(second) == set()
