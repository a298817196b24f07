"""Carousels for templates. `{% load recommendations %}`, then

    {% recommended_for user %}            {% because_you_watched user limit=10 %}
    {% similar_items item %}              {% trending title="Everybody watches" %}
    {% carousel "homepage" %}             {% carousel_assets %} once, in <head>

`user` is a Django user, an external user id or a profile; anonymous visitors are known by their session. All tags take
`limit=`, `title=` and `template=` (default `recommender/carousel.html`), and no item stands on one page twice, unless
editors have put its rows into different dedupe groups. With `lazy=True` a row is loaded when the reader comes near it;
that takes `{% late_assets %}` in <head>, and where no script runs the row is on the page at once.
When the recommender cannot answer, the popular row stands in, or nothing: never an error page.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context, Engine
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from recommender import staff_overlay
from recommender.carousel import UNAVAILABLE, Carousel, Shown, from_list, shown_on
from recommender.contracts import RecommendationList
from recommender.queries import PlacementSpec
from recommender.rows import DEFAULT_TEMPLATE, Row, may_load_late
from recommender.visitor import user_id_of

register = template.Library()

HTMX = "django_htmx/htmx-2.min.js"
HTMX_CONFIG = {"includeIndicatorStyles": False, "allowEval": False, "allowScriptTags": False}
"""Nothing that a strict Content-Security-Policy would refuse."""
_FROM_REQUEST: Any = object()


@register.simple_tag(takes_context=True)
def carousel_assets(context: Context) -> SafeString:
    """Return the style sheet and the scripts of the carousels, all optional; staff get the overlay's."""
    assets = format_html(
        '<link rel="stylesheet" href="{}"><script type="module" src="{}"></script>',
        static("recommender/carousel.css"),
        static("recommender/carousel.js"),
    )
    # A site that leaves out `recommender.urls` has carousels that tell nothing.
    with suppress(NoReverseMatch):
        assets += format_html(
            '<meta name="recs-report" content="{}"><script type="module" src="{}"></script>',
            reverse("recommender:report"),
            static("recommender/reporting.js"),
        )
    if not staff_overlay.may_see(context.get("request")):
        return assets
    return assets + format_html('<link rel="stylesheet" href="{}">', static("recommender/why.css"))


@register.simple_tag
def late_assets() -> SafeString:
    """Return what `lazy=True` needs: htmx, of the installed app `django_htmx`, and what tells it that a row is near."""
    return format_html(
        '<meta name="htmx-config" content="{}"><script src="{}" defer></script><script src="{}" defer></script>',
        json.dumps(HTMX_CONFIG),
        static(HTMX),
        static("recommender/late.js"),
    )


@register.simple_tag(takes_context=True)
def recommended_for(
    context: Context,
    user: object,
    *,
    limit: int | None = None,
    title: str = "",
    lazy: bool = False,
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render what `user` would like."""
    return _render(context, user, Row(kind="personalized", limit=limit, title=title, template=template), lazy)


@register.simple_tag(takes_context=True)
def because_you_watched(
    context: Context,
    user: object,
    *,
    limit: int | None = None,
    title: str = "",
    lazy: bool = False,
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render what goes with something `user` has watched lately."""
    return _render(context, user, Row(kind="because_you_watched", limit=limit, title=title, template=template), lazy)


@register.simple_tag(takes_context=True)
def trending(
    context: Context,
    *,
    user: object = _FROM_REQUEST,
    limit: int | None = None,
    title: str = "",
    lazy: bool = False,
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render what is popular now."""
    return _render(context, user, Row(kind="trending", limit=limit, title=title, template=template), lazy)


@register.simple_tag(takes_context=True)
def similar_items(
    context: Context,
    item: object,
    *,
    user: object = _FROM_REQUEST,
    limit: int | None = None,
    title: str = "",
    lazy: bool = False,
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render what is like `item`: an external item id, or an object with an `item_id`."""
    item_id = _item_id(item)
    _shown(context).beside.add(item_id)
    row = Row(kind="similar", seed_item_id=item_id, limit=limit, title=title, template=template)
    return _render(context, user, row, lazy)


@register.simple_tag(takes_context=True)
def carousel(
    context: Context,
    placement: str,
    *,
    user: object = _FROM_REQUEST,
    item: object = None,
    limit: int | None = None,
    title: str = "",
    lazy: bool = False,
    template: str = DEFAULT_TEMPLATE,
) -> SafeString:
    """Render the placement of that name as editors have set it up; `item` is the seed of those that need one."""
    seed = "" if item is None else _item_id(item)
    row = Row(context=placement, seed_item_id=seed, limit=limit, title=title, template=template)
    return _render(context, user, row, lazy)


@register.simple_tag(takes_context=True)
def recommendation_list(
    context: Context, answer: RecommendationList, *, title: str = "", template: str = DEFAULT_TEMPLATE
) -> SafeString:
    """Render a list that the view has asked for (`serving.page`)."""
    return _render_list(context, answer, title, template, on_its_page=True)


@register.simple_tag(takes_context=True)
def late_placement(
    context: Context, placement: PlacementSpec, *, user: object = _FROM_REQUEST, template: str = DEFAULT_TEMPLATE
) -> SafeString:
    """Render the place of what a placement shows on its page (`serving.page` with `only`), to be loaded when near."""
    row = Row(
        context=placement.name,
        page=placement.page,
        title="" if "{" in placement.title else placement.title,
        template=template,
        group=placement.dedupe_group,
    )
    return _render(context, user, row, lazy=True)


def _render(context: Context, user: object, row: Row, lazy: bool) -> SafeString:
    shown = _shown(context)
    # Where it cannot be read who is looking, it is nobody in particular.
    with suppress(*UNAVAILABLE):
        row = row.of(_user_id(context, user))
    if lazy and may_load_late(context.get("request")):
        return _from_template(context, "recommender/late.html", {"row": row, "packed": row.packed()})
    lists, title = row.lists(shown)
    rendered = [_render_list(context, answer, title, row.template, on_its_page=bool(row.page)) for answer in lists]
    return mark_safe("".join(rendered))  # noqa: S308 -- output of an escaping template


def _render_list(
    context: Context, answer: RecommendationList, title: str, template_name: str, *, on_its_page: bool
) -> SafeString:
    shown = _shown(context)
    notes = staff_overlay.notes(context.get("request"), answer, on_its_page=on_its_page)
    row: Carousel = from_list(answer, title=title, without=shown.near(answer.dedupe_group), notes=notes)
    if not row.cards:
        return SafeString("")
    shown.add(answer.dedupe_group, (card.item_id for card in row.cards))
    return _from_template(context, template_name, {"carousel": row})


def _from_template(context: Context, template_name: str, values: dict[str, Any]) -> SafeString:
    handed_on = {name: context[name] for name in ("request", "csrf_token") if name in context}
    inner = context.new({**handed_on, **values})
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
