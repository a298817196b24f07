import re
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import HttpRequest
from django.template import Context, Engine, RequestContext, Template
from django.test import RequestFactory

from catalog.snapshot import ItemCard
from recommender import rows
from recommender.carousel import shown_item_ids
from recommender.contracts import Recommendation, RecommendationList
from recommender.exceptions import ModelUnavailable, UnknownPlacement

TITLES = {"personalized": "For you", "trending": "Trending now", "similar": "Similar", "because_you_watched": "Because"}


def answer(title: str, cards: Sequence[ItemCard], group: str = "") -> RecommendationList:
    return RecommendationList(
        request_id=uuid4(),
        placement="homepage",
        recipe="x",
        title=title,
        items=tuple(
            Recommendation(item_id=card.item_id, score=1.0, reason="Popular", source="popular", card=card)
            for card in cards
        ),
        model_version="v1",
        dedupe_group=group,
    )


class FakeServing:
    """Answers every call with the same cards and writes the calls down."""

    def __init__(self, *item_ids: str) -> None:
        self.cards = [ItemCard(item_id=item_id, title=item_id.upper()) for item_id in item_ids]
        self.calls: list[dict[str, Any]] = []
        self.failures: dict[str, Exception] = {}

    def recommend(self, user_id: str, *, kind: str = "", context: str = "", **options: Any) -> RecommendationList:
        self.calls.append({"user_id": user_id, "kind": kind, "context": context, **options})
        if kind in self.failures:
            raise self.failures[kind]
        return answer(TITLES.get(kind, f"Placement {context}"), self.cards)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> FakeServing:
    fake = FakeServing("a", "b", "c")
    monkeypatch.setattr(rows, "serving", fake)
    return fake


@pytest.fixture
def request_of_nobody() -> HttpRequest:
    request = RequestFactory().get("/")
    request.session = {}  # type: ignore[assignment] # a dict does for reading
    request.user = AnonymousUser()
    return request


@pytest.fixture
def render(request_of_nobody: HttpRequest) -> Callable[..., str]:
    def render_source(source: str, **context: Any) -> str:
        return Template("{% load recommendations %}" + source).render(RequestContext(request_of_nobody, context))

    return render_source


def item_ids(html: str) -> list[str]:
    return re.findall(r'data-item-id="([^"]*)"', html)


def test_each_tag_asks_the_one_door_for_its_list(serving: FakeServing) -> None:
    for source in (
        '{% recommended_for "u1" limit=5 %}',
        '{% because_you_watched "u1" %}',
        '{% trending user="u1" %}',
        '{% similar_items "seed" user="u1" %}',
        '{% carousel "shelf" user="u1" item="seed" limit=3 %}',
    ):
        Template("{% load recommendations %}" + source).render(Context())
    common = {"user_id": "u1", "kind": "", "context": "", "limit": None, "exclude": (), "shown": {}}
    assert serving.calls == [
        {**common, "kind": "personalized", "limit": 5},
        {**common, "kind": "because_you_watched"},
        {**common, "kind": "trending"},
        {**common, "kind": "similar", "seed_item_id": "seed", "exclude": ("seed",)},
        {**common, "context": "shelf", "seed_item_id": "seed", "limit": 3},
    ]


def test_a_row_is_a_labelled_list_of_links(serving: FakeServing, render: Callable[..., str]) -> None:
    html = render('{% recommended_for "u1" %}')
    assert item_ids(html) == ["a", "b", "c"]
    label = re.search(r'aria-labelledby="([^"]+)"', html)
    assert label
    assert f'id="{label[1]}" dir="auto">For you</h2>' in html
    assert re.search(r'href="/items/a/\?request=[-0-9a-f]{36}&amp;position=0&amp;from=homepage"', html)
    assert '<span class="recs-name" dir="auto">A</span>' in html


def test_no_item_stands_on_one_page_twice(serving: FakeServing, render: Callable[..., str]) -> None:
    first = [ItemCard(item_id=item_id, title=item_id) for item_id in "ab"]
    serving.cards = first
    html = render('{% recommended_for "u" %}{% trending %}{% carousel "shelf" %}')
    assert item_ids(html) == ["a", "b"]
    assert [call["shown"] for call in serving.calls] == [{}, {"": ("a", "b")}, {"": ("a", "b")}]


@pytest.mark.parametrize(("beside", "expected"), [((), ["a", "b", "a", "b"]), (("a",), ["b", "b"])])
def test_rows_of_different_groups_may_repeat_each_other_but_not_the_page(
    render: Callable[..., str], request_of_nobody: HttpRequest, beside: Sequence[str], expected: list[str]
) -> None:
    shown_item_ids(request_of_nobody).update(beside)
    cards = [ItemCard(item_id=item_id, title=item_id) for item_id in "ab"]
    rows = {name: answer(name, cards, group) for name, group in (("one", ""), ("two", "top"), ("three", "top"))}
    source = "{% recommendation_list one %}{% recommendation_list two %}{% recommendation_list three %}"
    assert item_ids(render(source, **rows)) == expected


def test_the_seed_is_not_shown_beside_itself(serving: FakeServing, render: Callable[..., str]) -> None:
    html = render("{% similar_items item %}", item=ItemCard(item_id="b", title="B"))
    assert item_ids(html) == ["a", "c"]
    assert serving.calls[0]["exclude"] == ("b",)


def test_pages_do_not_share_what_they_have_shown(serving: FakeServing) -> None:
    for _ in range(2):
        html = Template('{% load recommendations %}{% recommended_for "u" %}').render(Context())
        assert item_ids(html) == ["a", "b", "c"]


def test_included_templates_share_the_page_also_without_a_request(serving: FakeServing) -> None:
    loader = (
        "django.template.loaders.locmem.Loader",
        {"row.html": '{% load recommendations %}{% recommended_for "u" %}'},
    )
    engine = Engine(
        loaders=[loader, "django.template.loaders.app_directories.Loader"],
        libraries={"recommendations": "recommender.templatetags.recommendations"},
    )
    source = '{% include "row.html" %}{% include "row.html" %}'
    assert item_ids(engine.from_string(source).render(Context())) == ["a", "b", "c"]


def test_what_the_view_has_shown_itself_is_left_out(
    serving: FakeServing, render: Callable[..., str], request_of_nobody: HttpRequest
) -> None:
    shown_item_ids(request_of_nobody).add("a")
    assert item_ids(render('{% recommended_for "u" %}')) == ["b", "c"]


def test_a_list_made_by_the_view_is_rendered_like_the_others(serving: FakeServing, render: Callable[..., str]) -> None:
    made = answer("Mine", [ItemCard(item_id="x", title="X"), ItemCard(item_id="a", title="A")])
    html = render('{% recommendation_list made %}{% recommended_for "u" %}', made=made)
    assert item_ids(html) == ["x", "a", "b", "c"]


@pytest.mark.parametrize("failure", [ModelUnavailable("no"), OperationalError("no"), redis.ConnectionError("no")])
def test_the_popular_row_stands_in_for_a_failing_one(
    serving: FakeServing, render: Callable[..., str], failure: Exception
) -> None:
    serving.failures["personalized"] = failure
    html = render('{% recommended_for "u" title="Chosen for you" %}')
    assert item_ids(html) == ["a", "b", "c"]
    assert ">Trending now</h2>" in html
    assert "Chosen for you" not in html


def test_nothing_is_shown_when_the_popular_row_fails_too(serving: FakeServing, render: Callable[..., str]) -> None:
    serving.failures = {"": UnknownPlacement("no shelf"), "trending": OperationalError("away")}
    assert render('before {% carousel "shelf" %}after') == "before after"


def test_an_empty_answer_shows_nothing(serving: FakeServing, render: Callable[..., str]) -> None:
    serving.cards = []
    assert render('{% recommended_for "u" %}') == ""


def test_a_programming_error_raises(serving: FakeServing, render: Callable[..., str]) -> None:
    serving.failures["personalized"] = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError, match="a bug"):
        render('{% recommended_for "u" %}')
    with pytest.raises(TypeError, match="Expected an item id"):
        render("{% similar_items 17 %}")


def test_title_and_template_can_be_replaced(
    serving: FakeServing, render: Callable[..., str], tmp_path: Any, settings: Any
) -> None:
    (tmp_path / "mine.html").write_text(
        "{{ carousel.title }}:{% for card in carousel.cards %} {{ card.title }}{% endfor %}"
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    source = '{% trending title=heading template="mine.html" %}'
    assert render(source, heading="Everybody <3") == "Everybody &lt;3: A B C"


@pytest.mark.parametrize(
    "source", ['{% recommended_for "u" %}', '{% autoescape off %}{% recommended_for "u" %}{% endautoescape %}']
)
def test_hostile_catalogue_texts_are_only_text(serving: FakeServing, render: Callable[..., str], source: str) -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    serving.cards = [
        ItemCard(
            item_id=hostile,
            title=hostile,
            category=hostile,
            url="javascript:alert(1)",
            image_url='https://example.org/" onerror="alert(1)',
        )
    ]
    html = render(source)
    assert "<img" not in html
    assert "javascript:" not in html
    assert "onerror=alert(1)&gt;" in html
    assert 'href="/items/%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E/?request=' in html


def test_visitors_are_known_by_their_session_and_profiles_by_their_id(
    serving: FakeServing, render: Callable[..., str], request_of_nobody: HttpRequest
) -> None:
    request_of_nobody.session["recommender_visitor_id"] = "visitor-1"
    render("{% recommended_for user %}", user=AnonymousUser())
    render("{% trending %}")
    render("{% recommended_for profile %}", profile=SimpleNamespace(user_id="u9"))
    assert [call["user_id"] for call in serving.calls] == ["visitor-1", "visitor-1", "u9"]


def test_a_browser_that_refuses_tracking_gets_what_is_popular(serving: FakeServing) -> None:
    request = RequestFactory().get("/", headers={"Sec-GPC": "1"})
    Template('{% load recommendations %}{% recommended_for "u" %}').render(RequestContext(request))
    assert serving.calls[0]["user_id"] == ""


def test_the_assets_are_a_style_sheet_and_a_module(render: Callable[..., str]) -> None:
    assert render("{% carousel_assets %}") == (
        '<link rel="stylesheet" href="/static/recommender/carousel.css">'
        '<script type="module" src="/static/recommender/carousel.js"></script>'
        '<meta name="recs-report" content="/recommender/report">'
        '<script type="module" src="/static/recommender/reporting.js"></script>'
    )
