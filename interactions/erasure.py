"""Forget a person: every row about him, what Redis holds of him, and what waits to be written."""

from __future__ import annotations

from django.db import connection, transaction

from interactions import conf, dead_letters, features, impressions, stale_histories
from interactions.models import DeadLetter, UserProfile
from interactions.redis_breaker import RedisAway


def erase_user(user_id: str) -> dict[str, int]:
    """Erase a person from this app's tables, INTERACTIONS_ALSO_ERASE and Redis; return how many rows of each kind went.

    One transaction that keeps out writers of his events and impressions. Safe to repeat, also for an unknown id. With
    Redis away, his lists still in the stream reach Postgres later: the receipt then says `impressions_waiting: -1`.
    """
    with transaction.atomic():
        receipt = {"impressions_waiting": _forget_waiting(user_id)}
        profile = UserProfile.objects.select_for_update().filter(user_id=user_id).first()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM interactions_impression WHERE user_id = %s", [user_id])
            receipt["impressions"] = int(cursor.rowcount)
            receipt["event_keys"] = receipt["events"] = 0
            if profile is not None:
                cursor.execute(
                    "DELETE FROM interactions_eventkey USING interactions_event event "
                    "WHERE event.user_id = %s AND interactions_eventkey.event_id = event.event_id",
                    [profile.pk],
                )
                receipt["event_keys"] = int(cursor.rowcount)
                cursor.execute("DELETE FROM interactions_event WHERE user_id = %s", [profile.pk])
                receipt["events"] = int(cursor.rowcount)
        letters = [letter.pk for letter in dead_letters.of_user(user_id)]
        receipt["dead_letters"] = DeadLetter.objects.filter(pk__in=letters).delete()[0]
        receipt |= {name: erase(user_id) for name, erase in conf.also_erase().items()}
        receipt["profiles"] = profile.delete()[0] if profile is not None else 0
        stale_histories.note([user_id])
        transaction.on_commit(lambda: features.forget([user_id]))
    return receipt


def _forget_waiting(user_id: str) -> int:
    try:
        return impressions.forget(user_id)
    except RedisAway:
        return -1
