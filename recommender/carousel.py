"""What a template shows of a recommendation list: cards with checked addresses, no item twice on one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

import redis
from django.db import Error as DatabaseError
from django.http import HttpRequest

from catalog.snapshot import ItemCard, item_page
from recommender import reporting
from recommender.contracts import RecommendationList
from recommender.exceptions import RecommenderError
from recommender.staff_overlay import Why

UNAVAILABLE = (RecommenderError, DatabaseError, redis.RedisError)
"""What a page with carousels survives. Everything else is a programming error and raises."""

_SHOWN = "recommender.shown"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page has shown so far, as external ids."""

    beside: set[str] = field(default_factory=set)
    """Next to its carousels: none of them repeats it."""
    rows: dict[str, set[str]] = field(default_factory=dict)
    """In its carousels, by dedupe group."""

    def near(self, group: str) -> set[str]:
        """Return what a carousel of the group must not repeat."""
        return self.beside | self.rows.get(group, set())

    def add(self, group: str, item_ids: Iterable[str]) -> None:
        """Note what a carousel of the group shows."""
        self.rows.setdefault(group, set()).update(item_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One item of a carousel. Every text is as the catalogue has it: templates must escape it."""

    item_id: str
    title: str
    url: str
    """Checked: an http(s) address or a path of this site, with the click's origin as query of a path."""
    image_url: str
    """Checked in the same way; "" when the item has no picture."""
    item: ItemCard
    reason: str = ""
    position: int = 0
    """0 is first in the list as it was answered, whatever was left out since."""
    origin: str = ""
    """`request=…&position=…&from=…`, "" when the card stands in no recommended list."""
    presentation: int | None = None
    """Under which of several titles and pictures; 0 is the item's own, None where it has but that."""
    why: Why | None = None
    """What staff see of it; None for everybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carousel:
    """One row of cards."""

    title: str
    cards: tuple[Card, ...]
    placement: str = ""
    request_id: str = ""
    fallback: bool = False
    dedupe_group: str = ""
    note: str = ""
    """With which a page may tell what was seen of it (`reporting`); "" for nobody's."""

    @property
    def dom_id(self) -> str:
        """Return an id for the row's heading, unique on a page."""
        return f"recs-{self.request_id or self.placement}"


def from_list(
    answer: RecommendationList,
    *,
    title: str = "",
    without: Iterable[str] = (),
    notes: Mapping[str, Why] = MappingProxyType({}),
) -> Carousel:
    """Return the carousel of `answer`, leaving out the item ids of `without`.

    `title` replaces the placement's own. An item occurs once even when the answer repeats it. A reason that only
    repeats the title is left out. `notes` (`staff_overlay.notes`) are what staff see, by item id.
    """
    title = title or answer.title
    left_out = set(without)
    cards = []
    for position, recommendation in enumerate(answer.items):
        if recommendation.item_id in left_out:
            continue
        left_out.add(recommendation.item_id)
        origin = urlencode({"request": str(answer.request_id), "position": position, "from": answer.placement})
        reason = "" if recommendation.reason == title else recommendation.reason
        made = card(recommendation.card, reason=reason, position=position, origin=origin)
        cards.append(
            replace(made, presentation=recommendation.presentation, why=notes.get(recommendation.item_id))
            if notes or recommendation.presentation is not None
            else made
        )
    return Carousel(
        title=title,
        cards=tuple(cards),
        placement=answer.placement,
        request_id=str(answer.request_id),
        fallback=answer.fallback,
        dedupe_group=answer.dedupe_group,
        note=reporting.note_of(answer),
    )


def card(item: ItemCard, *, reason: str = "", position: int = 0, origin: str = "") -> Card:
    """Return the card of one item."""
    return Card(
        item_id=item.item_id,
        title=item.title,
        url=item_url(item, origin),
        image_url=checked_url(item.image_url),
        item=item,
        reason=reason,
        position=position,
        origin=origin,
    )


def item_url(item: ItemCard, origin: str = "") -> str:
    """Return where a card leads: the item's own address if it is fit for a link, else the site's item page.

    `origin` is added to paths only, so that no request id leaves the site.
    """
    url = checked_url(item.url) or item_page(item.item_id)
    if origin and url.startswith("/"):
        path, hash_sign, fragment = url.partition("#")
        return f"{path}{'&' if '?' in path else '?'}{origin}{hash_sign}{fragment}"
    return url


def checked_url(url: str) -> str:
    """Return `url` if it is an http(s) address or a path of this site, else "" (`javascript:`, `data:`, `//host`)."""
    if any(character <= " " or character in '\\\x7f"<>' for character in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return url if parts.netloc else ""
    return url if not parts.scheme and not parts.netloc and url.startswith("/") else ""


def shown_on(request: HttpRequest) -> Shown:
    """Return what the request's page has shown so far."""
    shown: Shown = request.META.setdefault(_SHOWN, Shown())
    return shown


def shown_item_ids(request: HttpRequest) -> set[str]:
    """Return the ids that this page shows next to the carousels; add to it what no carousel is to repeat."""
    return shown_on(request).beside
