"""What is taken most: a rolling popularity of every item, and what is trending, over all, by country and by category.

Both are Σ over users of weight · 0.5^(age / half-life), a user counting once an item by his strongest event, so that
nobody lifts an item alone. Ages are counted back from the newest event (popularity: from the newest at the last full
count, at most a day earlier): a data set of years ago still has an order. Events older than ten half-lives (a
thousandth each) are left out. Dislikes (negative weights) do not count.

An event's country is what its context says (`{"country": "FR"}`), else the user's. `item_scores` does the counting.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from catalog import popularity as catalogue_popularity
from interactions import item_scores
from interactions.announced import Announced

TRENDING_ITEMS = 200
"""Items kept of everything and of each country."""
TRENDING_IN_CATEGORY = 50
"""Items kept of each category, of which there may be thousands."""

# Packed, which is a tenth of the work of a number at a time; ranked by numpy, a quarter of what the database takes.
_LISTS = """
    WITH scored AS MATERIALIZED (SCORES), located AS (
        SELECT CASE country WHEN '' THEN 'everywhere' ELSE 'countries' END AS kind, country AS name, item_id, score
        FROM scored
        UNION ALL
        SELECT 'categories', item.category, item.id, score
        FROM scored JOIN catalog_item item ON item.id = scored.item_id WHERE item.category <> '' AND country = ''
    )
    SELECT kind, name, string_agg(int8send(item_id), ''), string_agg(float8send(score), '') FROM located GROUP BY 1, 2
"""


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """What is trending in one country or category, best first."""

    packed_pks: bytes = b""
    packed_scores: bytes = b""
    total: float = 0.0
    """Sum of the scores of all items there, also of those that are not kept."""

    @property
    def pks(self) -> NDArray[np.int64]:
        """(n,) int64 item primary keys."""
        return np.frombuffer(self.packed_pks, dtype="<i8").astype(np.int64, copy=False)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(n,) float64, decayed weight of the users who took each item, > 0, descending."""
        return np.frombuffer(self.packed_scores, dtype="<f8").astype(np.float64, copy=False)


class Trending(msgspec.Struct, frozen=True, kw_only=True):
    """What is trending."""

    everywhere: Ranked = Ranked()
    countries: dict[str, Ranked] = {}
    """By two-letter code."""
    categories: dict[str, Ranked] = {}
    """By category as the catalogue spells it."""


NAME = "trending"
"""Of the Redis key."""
_announced: Announced[Trending] = Announced(NAME, Trending, Trending())


def refresh() -> int:
    """Count what came in since the last time and tell every process; return how many items' popularity changed.

    One at a time: called while another process is at it, it returns 0 at once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('interactions.popularity'))")
        if not cursor.fetchone()[0]:
            return 0
        counted = item_scores.count()
        changed = catalogue_popularity.store(item_scores.POPULARITY, rest_is_zero=counted.everything)
        found = _lists(item_scores.TRENDING, counted.trending_decay)
    _announced.announce(found)
    return changed


def as_of(moment: datetime) -> tuple[dict[int, float], Trending]:
    """Return popularity by item primary key, and what was trending, of the events that had happened by `moment`.

    From Postgres, everything counted anew: not for requests. Ages are counted back from the newest of these events.
    Profiles keep no history: the country of an event that does not say it is its user's of today.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        item_scores.count_as_of(moment)
        cursor.execute(item_scores.POPULARITY_AS_OF)
        popularity = {int(pk): float(score) for pk, score in cursor.fetchall()}
        return popularity, _lists(item_scores.TRENDING_AS_OF)


def trending() -> Trending:
    """Return what is trending, as this process holds it; nothing before the first `refresh`."""
    return _announced.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()


def _lists(scores: str, decay: float = 1.0) -> Trending:
    """Return what is trending by `scores`, a SELECT of item, country and score, each times `decay`."""
    found: dict[str, dict[str, Ranked]] = {"everywhere": {}, "countries": {}, "categories": {}}
    with connection.cursor() as cursor:
        cursor.execute(_LISTS.replace("SCORES", scores))
        for kind, name, pks, values in cursor.fetchall():
            most = TRENDING_IN_CATEGORY if kind == "categories" else TRENDING_ITEMS
            found[kind][name] = _ranked(np.frombuffer(pks, ">i8"), np.frombuffer(values, ">f8") * decay, most)
    everywhere = found["everywhere"].get("", Ranked())
    return Trending(everywhere=everywhere, countries=found["countries"], categories=found["categories"])


def _ranked(pks: NDArray[np.int64], scores: NDArray[np.float64], most: int) -> Ranked:
    best = np.lexsort((pks, -scores))[:most]
    return Ranked(
        packed_pks=pks[best].astype("<i8").tobytes(),
        packed_scores=scores[best].astype("<f8").tobytes(),
        total=float(scores.sum()),
    )
