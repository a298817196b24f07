"""By how much events change the items' scores (`item_scores` says what a score is and keeps them).

The changes are rows of the temporary table `score_change`: `item_id`, `country` ('' = everywhere), `popularity` (0 by
country) and `trending`; `settles` tells the ones that are to be kept. A pair of user and item changes a score by what
its strongest event weighs now less what the strongest of the earlier ones did; those are in the user's history.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from interactions import conf

HALF_LIVES = 10
"""Events older than this are left out: a thousandth each."""

_COUNTRY = """
    CASE WHEN e.context->>'country' ~ '^[A-Za-z]{2}$' THEN upper(e.context->>'country') ELSE coalesce(u.country, '') END
"""
_CREATE = """
    DROP TABLE IF EXISTS score_change;
    CREATE TEMP TABLE score_change (
        settles boolean, item_id bigint, country text, popularity float8, trending float8
    ) ON COMMIT DROP
"""
_FRESH = """
    DROP TABLE IF EXISTS fresh;
    CREATE TEMP TABLE fresh ON COMMIT DROP AS
    SELECT DISTINCT user_id, item_id FROM interactions_event
    WHERE received_at >= %(received_from)s AND received_at < %(received_until)s
"""


def empty() -> None:
    """Make an empty table of changes for the rest of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_CREATE)


def find(
    landmark: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    as_of: datetime | None = None,
) -> None:
    """Add the changes by events received from `since` up to `until` that had happened by `as_of`; None: all.

    With `until` they settle. An event at `landmark` weighs what its type says, one a half-life later twice that.
    """
    with connection.cursor() as cursor:
        parameters = _parameters(landmark, since, until, as_of)
        if since is not None:
            cursor.execute(_FRESH, parameters)
            # How many there are decides whether their users' histories are read or the whole window.
            cursor.execute("ANALYZE fresh")
        cursor.execute(_changes(only_fresh=since is not None), parameters)


def _parameters(
    landmark: datetime, since: datetime | None, until: datetime | None, as_of: datetime | None
) -> dict[str, Any]:
    days = {"popularity": conf.popularity_half_life_days(), "trending": conf.trending_half_life_days()}
    return {
        "settles": until is not None,
        "landmark": landmark,
        "received_from": since or "-infinity",
        "received_until": until or "infinity",
        "as_of": as_of or "infinity",
        **{f"{score}_days": value for score, value in days.items()},
        **{f"{score}_since": landmark - timedelta(days=value * HALF_LIVES) for score, value in days.items()},
    }


def _changes(*, only_fresh: bool) -> str:
    return f"""
        WITH popular AS (
            SELECT item_id, '' AS country, sum(weight - earlier) AS score
            FROM ({_taken("popularity", "''", only_fresh)}) taken GROUP BY item_id
        ), taken_lately AS MATERIALIZED (
            {_taken("trending", _COUNTRY, only_fresh)}
        ), trending AS (
            SELECT item_id, '' AS country, sum(weight - earlier) AS score FROM (
                SELECT item_id, max(weight) AS weight, max(earlier) AS earlier
                FROM taken_lately GROUP BY user_id, item_id
            ) anywhere GROUP BY item_id
            UNION ALL
            SELECT item_id, country, sum(weight - earlier) FROM taken_lately
            WHERE country <> '' GROUP BY item_id, country
        )
        INSERT INTO score_change (settles, item_id, country, popularity, trending)
        SELECT %(settles)s, item_id, country, coalesce(popular.score, 0), coalesce(trending.score, 0)
        FROM popular FULL JOIN trending USING (item_id, country)
    """  # noqa: S608 -- texts of this file


def _taken(score: str, country: str, only_fresh: bool) -> str:
    """Return SELECT user, item, country, what the strongest event weighs, what the strongest earlier one did."""
    fresh = "AND (e.user_id, e.item_id) IN (SELECT user_id, item_id FROM fresh)"
    return f"""
        SELECT user_id, item_id, country, max(weight) AS weight,
               coalesce(max(weight) FILTER (WHERE received_at < %(received_from)s), 0) AS earlier
        FROM (
            SELECT e.user_id, e.item_id, e.received_at, {country} AS country,
                   t.weight * power(2, date_part('epoch', e.occurred_at - %(landmark)s::timestamptz)
                                       / 86400 / %({score}_days)s) AS weight
            FROM interactions_event e JOIN interactions_eventtype t ON t.id = e.event_type_id AND t.weight > 0
            LEFT JOIN interactions_userprofile u ON u.id = e.user_id
            WHERE e.occurred_at BETWEEN %({score}_since)s AND %(as_of)s AND e.received_at < %(received_until)s
                  {fresh if only_fresh else ""}
            OFFSET 0 -- else the weight is worked out once an aggregate
        ) weighed GROUP BY user_id, item_id, country
    """  # noqa: S608 -- texts of this file
