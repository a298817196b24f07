"""The items' stored popularity, which others compute. The catalogue's revision does not move for it."""

from __future__ import annotations

from django.db import connection

from catalog.models import Item

LEAST_CHANGE = 0.01
"""Relative. Every event ages all scores a little; rewriting a million rows for that would only bloat the table."""


def of(item_pk: int) -> float:
    """Return an item's popularity as it is stored, 0.0 for an item that does not exist."""
    return float(Item.objects.filter(pk=item_pk).values_list("popularity", flat=True).first() or 0.0)


def store(scores: str, *, rest_is_zero: bool) -> int:
    """Set items' popularity in one statement; return how many changed by more than LEAST_CHANGE.

    Parameters
    ----------
    scores
        SELECT that yields `item_id` (primary key, distinct) and `score` (0 or more).
    rest_is_zero
        Whether items it leaves out get 0; else they stay as they are.

    Items that somebody else is writing just now are left for the next time, so that the two cannot deadlock.
    """
    join = "LEFT JOIN" if rest_is_zero else "JOIN"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH scored AS ({scores}), changed AS (
                SELECT item.id, coalesce(scored.score, 0) AS score
                FROM catalog_item item {join} scored ON scored.item_id = item.id
                WHERE abs(item.popularity - coalesce(scored.score, 0))
                      > {LEAST_CHANGE} * greatest(item.popularity, coalesce(scored.score, 0))
                FOR NO KEY UPDATE OF item SKIP LOCKED
            )
            UPDATE catalog_item item SET popularity = changed.score FROM changed WHERE item.id = changed.id
            """  # noqa: S608 -- the caller's literal
        )
        return int(cursor.rowcount)
