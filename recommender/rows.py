"""One row of a page: what is asked of `serving` for it, now or when the reader gets there.

A row that loads late travels to the browser and back as a signed text, with what it is to show but not what the rest
of the page shows: that, the browser says when it asks (`row_views`).
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from django.core import signing
from django.http import HttpRequest

from recommender import serving
from recommender.carousel import UNAVAILABLE, Shown
from recommender.contracts import RecommendationList
from recommender.listing import SIMILAR

logger = logging.getLogger(__name__)

DEFAULT_TEMPLATE = "recommender/carousel.html"
COOKIE = "recs-late"
"""Set by a script: rows that it would load late must be on the page where no script runs."""
LONGEST_DAYS = 1
_SALT = "recommender.rows"


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a tag asks for."""

    kind: str = ""
    context: str = ""
    page: str = ""
    """Set: the row, or rows, that the placement `context` has on this page."""
    seed_item_id: str = ""
    limit: int | None = None
    title: str = ""
    template: str = DEFAULT_TEMPLATE
    user_id: str = ""
    group: str = ""
    """Dedupe group of the placement, as far as it was known."""

    def of(self, user_id: str) -> Row:
        """Return the same row for a user."""
        return msgspec.structs.replace(self, user_id=user_id)

    def packed(self) -> str:
        """Return it as a signed text."""
        return signing.dumps(msgspec.structs.asdict(self), salt=_SALT, compress=True)

    def lists(self, shown: Shown) -> tuple[list[RecommendationList], str]:
        """Return its lists and its title: where they cannot be had the popular one under its own; at worst none."""
        try:
            return self._lists(shown), self.title
        except UNAVAILABLE as error:
            logger.warning("carousel not available, showing the popular row: %s", error)
        try:
            return [serving.recommend(self.user_id, kind="trending", limit=self.limit, **_beside(shown))], ""
        except UNAVAILABLE as error:
            logger.warning("popular row not available either: %s", error)
            return [], ""

    def _lists(self, shown: Shown) -> list[RecommendationList]:
        if self.page:
            groups = {*shown.rows, self.group}
            near = {group: tuple(sorted(shown.near(group))) for group in groups}
            return serving.page(self.page, user_id=self.user_id, only=(self.context,), shown=near)
        asked: dict[str, Any] = {"kind": self.kind} if self.kind else {"context": self.context}
        if self.kind == SIMILAR or not self.kind:
            asked["seed_item_id"] = self.seed_item_id
        return [serving.recommend(self.user_id, limit=self.limit, **asked, **_beside(shown))]


class BadRow(Exception):
    """A text that is no row of this site, or an old one."""


def unpacked(text: str) -> Row:
    """Return the row of a signed text.

    Raises
    ------
    BadRow
    """
    try:
        return msgspec.convert(signing.loads(text, salt=_SALT, max_age=LONGEST_DAYS * 86_400), Row)
    except (signing.BadSignature, msgspec.ValidationError) as error:
        raise BadRow("This row is not of this site, or too old.") from error


def may_load_late(request: HttpRequest | None) -> bool:
    """Tell whether a script has said that it will ask for late rows."""
    return request is not None and request.COOKIES.get(COOKIE) == "1"


def _beside(shown: Shown) -> dict[str, Any]:
    return {
        "exclude": tuple(sorted(shown.beside)),
        "shown": {group: tuple(sorted(item_ids)) for group, item_ids in shown.rows.items()},
    }
