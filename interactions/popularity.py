"""What is taken most: a rolling popularity of every item, and what is trending, over all, by country and by category.

Both are Σ over users of weight · 0.5^(age / half-life), a user counting once an item by his strongest event, so that
nobody lifts an item alone. Ages are counted back from the newest event: a data set of years ago still has an order.
Events older than ten half-lives (a thousandth each) are left out. Dislikes (negative weights) do not count.

An event's country is what its context says (`{"country": "FR"}`), else the user's.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from catalog import popularity as catalogue_popularity
from interactions import conf, queries
from interactions.announced import Announced
from interactions.identity import EPOCH

HALF_LIVES = 10
TRENDING_ITEMS = 200
"""Items kept of everything and of each country."""
TRENDING_IN_CATEGORY = 50
"""Items kept of each category, of which there may be thousands."""

# Parameters: the newest event's moment, half-life in days, the oldest moment that counts.
_POPULARITY = """
    SELECT item_id, sum(weight) AS score FROM (
        SELECT e.item_id,
               max(t.weight * power(0.5, extract(epoch FROM %s::timestamptz - e.occurred_at)::float8 / 86400 / %s))
                   AS weight
        FROM interactions_event e JOIN interactions_eventtype t ON t.id = e.event_type_id AND t.weight > 0
        WHERE e.occurred_at >= %s::timestamptz
        GROUP BY e.user_id, e.item_id
    ) taken GROUP BY item_id
"""
_TRENDING = f"""
    WITH taken AS MATERIALIZED (
        SELECT e.user_id, e.item_id,
               CASE WHEN e.context->>'country' ~ '^[A-Za-z]{{2}}$' THEN upper(e.context->>'country')
                    ELSE coalesce(u.country, '') END AS country,
               max(t.weight * power(0.5, extract(epoch FROM %s::timestamptz - e.occurred_at)::float8 / 86400 / %s))
                   AS weight
        FROM interactions_event e JOIN interactions_eventtype t ON t.id = e.event_type_id AND t.weight > 0
        LEFT JOIN interactions_userprofile u ON u.id = e.user_id
        WHERE e.occurred_at >= %s::timestamptz
        GROUP BY 1, 2, 3
    ), everywhere AS (
        SELECT item_id, sum(weight) AS score FROM (
            SELECT user_id, item_id, max(weight) AS weight FROM taken GROUP BY user_id, item_id
        ) once GROUP BY item_id
    ), located AS (
        SELECT 'everywhere' AS kind, '' AS name, {TRENDING_ITEMS} AS most, item_id, score FROM everywhere
        UNION ALL
        SELECT 'countries', country, {TRENDING_ITEMS}, item_id, sum(weight) FROM taken
        WHERE country <> '' GROUP BY country, item_id
        UNION ALL
        SELECT 'categories', item.category, {TRENDING_IN_CATEGORY}, item.id, score
        FROM everywhere JOIN catalog_item item ON item.id = everywhere.item_id WHERE item.category <> ''
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY kind, name ORDER BY score DESC, item_id) AS rank,
               sum(score) OVER (PARTITION BY kind, name) AS total
        FROM located
    )
    SELECT kind, name, array_agg(item_id ORDER BY rank), array_agg(score ORDER BY rank), max(total)
    FROM ranked WHERE rank <= most GROUP BY kind, name
"""  # noqa: S608 -- constants of this file


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


_announced: Announced[Trending] = Announced("trending", Trending, Trending())


def refresh() -> int:
    """Compute both anew; return how many items' popularity changed.

    One at a time: called while another process is at it, it returns 0 at once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('interactions.popularity'))")
        if not cursor.fetchone()[0]:
            return 0
        changed = catalogue_popularity.store(_POPULARITY, _parameters(conf.popularity_half_life_days()))
    _announced.announce(_trending_from_database())
    return changed


def trending() -> Trending:
    """Return what is trending, as this process holds it; nothing before the first `refresh`."""
    return _announced.current()


def forget() -> None:
    """Hold nothing, as a new process does."""
    _announced.forget()


def _trending_from_database() -> Trending:
    found: dict[str, dict[str, Ranked]] = {"everywhere": {}, "countries": {}, "categories": {}}
    with connection.cursor() as cursor:
        cursor.execute(_TRENDING, _parameters(conf.trending_half_life_days()))
        for kind, name, pks, scores, total in cursor.fetchall():
            found[kind][name] = Ranked(
                packed_pks=np.array(pks, dtype="<i8").tobytes(),
                packed_scores=np.array(scores, dtype="<f8").tobytes(),
                total=float(total),
            )
    everywhere = found["everywhere"].get("", Ranked())
    return Trending(everywhere=everywhere, countries=found["countries"], categories=found["categories"])


def _parameters(half_life_days: float) -> list[datetime | float]:
    newest = queries.newest_event_at() or EPOCH
    return [newest, half_life_days, newest - timedelta(days=half_life_days * HALF_LIVES)]
