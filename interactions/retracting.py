"""Taking back what somebody said: "not interested" by mistake, a film that somebody else watched on his account."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection, transaction

from interactions import profiles


def retract(user_id: str, item_pk: int, event_types: Collection[str] = ()) -> int:
    """Delete a user's events with an item, of these types or of all; return how many. Shows on the next request.

    The ids that clients gave them stay taken: an event that was retracted does not come back by being sent again. What
    is popular is counted again without them (`item_scores`).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM interactions_event
            WHERE user_id = (SELECT id FROM interactions_userprofile WHERE user_id = %s FOR UPDATE)
                AND item_id = %s
                AND (%s OR event_type_id IN (SELECT id FROM interactions_eventtype WHERE name = ANY(%s)))
            """,
            [user_id, item_pk, not event_types, sorted(event_types)],
        )
        deleted = int(cursor.rowcount)
        if deleted:
            profiles.announce([user_id])
    return deleted
