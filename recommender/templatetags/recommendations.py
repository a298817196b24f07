"""Carousels for templates. `{% load recommendations %}`, then

    {% recommended_for user %}            {% because_you_watched user limit=10 %}
    {% similar_items item %}              {% trending title="Everybody watches" %}
    {% carousel "homepage" %}             {% carousel_assets %} once, in <head>

`user` is a Django user, an external user id or a profile; anonymous visitors are known by their session. All tags take
`limit=`, `title=` and `template=` (default `recommender/carousel.html`), and no item stands on one page twice, unless
editors have put its rows into different dedupe groups.
When the recommender cannot answer, the popular row stands in, or nothing: never an error page.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict

from django import template
from django.http import HttpRequest
from django.template import Context, Engine
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from recommender import serving, staff_overlay
from recommender.carousel import UNAVAILABLE, Carousel, Shown, from_list, shown_on
from recommender.contracts import RecommendationList
from recommender.visitor import user_id_of

logger = logging.getLogger(__name__)
register = template.Library()

DEFAULT_TEMPLATE = "recommender/carousel.html"
_FROM_REQUEST: Any = object()


class Page(TypedDict):
    """What the page shows already, as `serving.recommend` takes it."""

    exclude: Collection[str]
    shown: Mapping[str, Collection[str]]


@register.simple_tag(takes_context=True)
def carousel_assets(context: Context) -> SafeString:
    """Return the style sheet and the enhancement script of the carousels, both optional; staff get the overlay's."""
    assets = format_html(
        '<link rel="stylesheet" href="{}"><script type="module" src="{}"></script>',
        static("recommender/carousel.css"),
        static("recommender/carousel.js"),
    )
    if not staff_overlay.may_see(context.get("request")):
        return assets
    return assets + format_html('<link rel="stylesheet" href="{}">', static("recommender/why.css"))


@register.simple_tag(takes_context=True)
def recommended_for(
    context: Context, user: object, *, limit: int | None = None, title: str = "", template: str = DEFAULT_TEMPLATE
) -> SafeString:
    """Render what `user` would like."""
    return _personal(context, user, "personalized", limit, title, template)


@register.simple_tag(takes_context=True)
def because_you_watched(
    context: Context, user: object, *, limit: int | None = None, title: str = "", template: str = DEFAULT_TEMPLATE
) -> SafeString:
    """Render what goes with something `user` has watched lately."""
    return _personal(context, user, "because_you_watched", limit, title, template)


@register.simple_tag(takes_context=True)
def trending(
    context: Context,
    *,
    user: object = _FROM_REQUEST,
    limit: int | None = None,
    title: str = "",
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render what is popular now."""
    return _personal(context, user, "trending", limit, title, template)


@register.simple_tag(takes_context=True)
def similar_items(
    context: Context,
    item: object,
    *,
    user: object = _FROM_REQUEST,
    limit: int | None = None,
    title: str = "",
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render what is like `item`: an external item id, or an object with an `item_id`."""
    item_id = _item_id(item)
    _shown(context).beside.add(item_id)

    def fetch(user_id: str, page: Page) -> RecommendationList:
        return serving.recommend(user_id, kind="similar", seed_item_id=item_id, limit=limit, **page)

    return _render(context, user, fetch, limit, title, template)


@register.simple_tag(takes_context=True)
def carousel(
    context: Context,
    placement: str,
    *,
    user: object = _FROM_REQUEST,
    item: object = None,
    limit: int | None = None,
    title: str = "",
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render the placement of that name as editors have set it up; `item` is the seed of those that need one."""
    seed = "" if item is None else _item_id(item)

    def fetch(user_id: str, page: Page) -> RecommendationList:
        return serving.recommend(user_id, context=placement, seed_item_id=seed, limit=limit, **page)

    return _render(context, user, fetch, limit, title, template)


@register.simple_tag(takes_context=True)
def recommendation_list(
    context: Context, answer: RecommendationList, *, title: str = "", template: str = DEFAULT_TEMPLATE
) -> SafeString:
    """Render a list that the view has asked for (`serving.page`)."""
    shown = _shown(context)
    return _render_row(context, answer, title, shown, template, on_its_page=True)


def _personal(
    context: Context, user: object, kind: str, limit: int | None, title: str, template_name: str
) -> SafeString:
    def fetch(user_id: str, page: Page) -> RecommendationList:
        return serving.recommend(user_id, kind=kind, limit=limit, **page)

    return _render(context, user, fetch, limit, title, template_name)


def _render(
    context: Context,
    user: object,
    fetch: Callable[[str, Page], RecommendationList],
    limit: int | None,
    title: str,
    template_name: str,
) -> SafeString:
    shown = _shown(context)
    page: Page = {
        "exclude": tuple(sorted(shown.beside)),
        "shown": {group: tuple(sorted(item_ids)) for group, item_ids in shown.rows.items()},
    }
    user_id = ""
    try:
        user_id = _user_id(context, user)
        answer = fetch(user_id, page)
    except UNAVAILABLE as error:
        logger.warning("carousel not available, showing the popular row: %s", error)
        title = ""
        try:
            answer = serving.recommend(user_id, kind="trending", limit=limit, **page)
        except UNAVAILABLE as second:
            logger.warning("popular row not available either: %s", second)
            return SafeString("")
    return _render_row(context, answer, title, shown, template_name)


def _render_row(
    context: Context,
    answer: RecommendationList,
    title: str,
    shown: Shown,
    template_name: str,
    *,
    on_its_page: bool = False,
) -> SafeString:
    notes = staff_overlay.notes(context.get("request"), answer, on_its_page=on_its_page)
    row: Carousel = from_list(answer, title=title, without=shown.near(answer.dedupe_group), notes=notes)
    if not row.cards:
        return SafeString("")
    shown.add(answer.dedupe_group, (card.item_id for card in row.cards))
    values = {name: context[name] for name in ("request", "csrf_token") if name in context}
    inner = context.new({**values, "carousel": row})
    # Titles come from anywhere: a page that switches escaping off means its own text.
    inner.autoescape = True
    engine = context.template.engine if context.template else Engine.get_default()
    return mark_safe(engine.get_template(template_name).render(inner))  # noqa: S308 -- output of an escaping template


def _user_id(context: Context, user: object) -> str:
    request: HttpRequest | None = context.get("request")
    return user_id_of(getattr(request, "user", None) if user is _FROM_REQUEST else user, request)


def _item_id(item: object) -> str:
    item_id = getattr(item, "item_id", item)
    if not isinstance(item_id, str):
        raise TypeError(f"Expected an item id or an object with an item_id, not {item!r}.")
    return item_id


def _shown(context: Context) -> Shown:
    request: HttpRequest | None = context.get("request")
    if request is not None:
        return shown_on(request)
    # The bottom of the stack is the one part that included and extended templates share.
    page: Any = context.render_context.dicts[0]
    shown: Shown = page.setdefault("recommender.shown", Shown())
    return shown
