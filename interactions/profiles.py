"""What a site tells about a person: country, preferences, consent, and that two ids are one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from interactions import features, stale_histories
from interactions.exporting import PROFILE_FIELDS
from interactions.models import UserProfile

UNCHANGED: Any = object()
"""Stands for a field that was not given."""


class ProfileError(Exception):
    """A person cannot be changed as asked. `code` is what the API shows."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Merged:
    """What moved from one user to the other."""

    events: int
    impressions: int


def store(
    user_id: str,
    *,
    preferences: Mapping[str, Any] = UNCHANGED,
    country: str = UNCHANGED,
    consent: str = UNCHANGED,
    consent_version: str = UNCHANGED,
) -> bool:
    """Create or change a person; what is not given stays. True when he is new. Shows on the next request.

    When he decided is noted with each `consent`, also with the same one again.
    """
    given: dict[str, Any] = {
        "preferences": preferences,
        "country": country,
        "consent": consent,
        "consent_version": consent_version,
    }
    if consent is not UNCHANGED:
        given["consent_at"] = timezone.now()
    with transaction.atomic():
        _, created = UserProfile.objects.update_or_create(
            user_id=user_id, defaults={name: value for name, value in given.items() if value is not UNCHANGED}
        )
        announce([user_id])
    return created


def summary(user_id: str) -> dict[str, Any] | None:
    """Return a person's own fields, None when he is unknown."""
    profile: dict[str, Any] | None = UserProfile.objects.filter(user_id=user_id).values(*PROFILE_FIELDS).first()
    return profile


def merge(from_id: str, to_id: str) -> Merged:
    """Make the anonymous `from_id` one with the known `to_id`, in one transaction; shows on the next request.

    Events and impressions move; country and preferences of `to_id` win; `from_id` is forgotten.

    Raises
    ------
    ProfileError
        request_invalid (one user twice), user_unknown (of `from_id`) or merge_refused (`from_id` has a site account).
    """
    if from_id == to_id:
        raise ProfileError("request_invalid", f"from and to are the same user, {from_id!r}.")
    with transaction.atomic():
        UserProfile.objects.get_or_create(user_id=to_id)
        locked = UserProfile.objects.select_for_update().filter(user_id__in=[from_id, to_id]).order_by("user_id")
        profiles = {profile.user_id: profile for profile in locked}
        if from_id not in profiles:
            raise ProfileError("user_unknown", f"There is no user {from_id!r}.")
        source, target = profiles[from_id], profiles[to_id]
        if source.account_id is not None:
            raise ProfileError("merge_refused", f"User {from_id!r} belongs to an account and is not anonymous.")
        events = _move("interactions_event", "event_id, occurred_at", source.pk, target.pk)
        impressions = _move("interactions_impression", "request_id, position, shown_at", from_id, to_id)
        target.country = target.country or source.country
        target.preferences = {**source.preferences, **target.preferences}
        target.save(update_fields=["country", "preferences"])
        source.delete()
        announce([from_id, to_id])
    return Merged(events=events, impressions=impressions)


def _move(table: str, key: str, source: int | str, target: int | str) -> int:
    """Give the source's rows to the target; return how many."""
    move = f"UPDATE {table} SET user_id = %s WHERE user_id = %s"  # noqa: S608 -- literals of this file
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(move, [target, source])
        except IntegrityError:
            # Under the wider key of `sharding` both may have the same row: it was sent again after an earlier merge.
            cursor.execute(
                f"DELETE FROM {table} WHERE user_id = %s "  # noqa: S608 -- literals of this file
                f"AND ({key}) IN (SELECT {key} FROM {table} WHERE user_id = %s)",
                [source, target],
            )
            cursor.execute(move, [target, source])
        return int(cursor.rowcount)


def announce(user_ids: list[str]) -> None:
    """Make a change of these profiles show on the next request. Call it in the transaction of the change."""
    # Noted as well as dropped: a process killed between the commit and the dropping would leave the old history.
    stale_histories.note(user_ids)
    transaction.on_commit(lambda: features.forget(user_ids))
