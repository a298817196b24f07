"""Every feature that serving knows about users and items, defined once.

A definition says what a feature is, where it comes from and where it is kept. It gives the value as a request sees it
now (`online`) and as it was at any earlier moment (`as_of`), from Postgres and from nothing that happened later: what
training may know of that moment. Names, keys and lifetimes are those of the modules that write and read the values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from catalog import popularity as catalogue_popularity
from catalog import redis_slots
from catalog.redis_store import key
from interactions import announced, explored, feature_store, features, popularity, shown
from interactions.features import UserFeatures
from interactions.popularity import Ranked

Entity = Literal["user", "item", "country", "category", "site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature."""

    name: str
    entity: Entity
    """Whose it is: the subject of `online` and `as_of` is a user id, an item's primary key, a country, a category, or
    nothing in particular ("")."""
    type: str
    unit: str
    lifetime_seconds: int | None
    """For how long Redis keeps it after its last use; None: not in Redis, it is in memory with the catalogue."""
    source: str
    """Table and columns of Postgres."""
    redis_key: str
    """"" when it is not in Redis; with the field of a hash."""
    online: Callable[[Any], Any]
    as_of: Callable[[Any, datetime], Any]
    keeps_history: bool = True
    """False for what a profile says now: nobody has noted what it said before, so training must not use it."""


def _of_user(
    name: str, field: str, kind: str, unit: str, source: str, value: Callable[[UserFeatures], Any], told: bool = False
) -> Feature:
    return Feature(
        name=name,
        entity="user",
        type=kind,
        unit=unit,
        lifetime_seconds=feature_store.LIFETIME_SECONDS,
        source=source,
        redis_key=f"{redis_slots.described('user')} {field}",
        online=lambda user_id: value(features.load(user_id)[0]),
        as_of=lambda user_id, moment: value(features.as_of(user_id, moment)),
        keeps_history=not told,
    )


def _trending(name: str, entity: Entity, source: str, lists: Callable[[popularity.Trending], Any]) -> Feature:
    def ranked(found: popularity.Trending, subject: str) -> dict[int, float]:
        one: Ranked = lists(found).get(subject, Ranked())
        return dict(zip(one.pks.tolist(), one.scores.tolist(), strict=True))

    return Feature(
        name=name,
        entity=entity,
        type="(n,) int64 items, (n,) float64 scores, best first",
        unit="users, each by his strongest event's weight, halved every trending half-life",
        lifetime_seconds=announced.LIFETIME_SECONDS,
        source=source,
        redis_key=key(popularity.NAME),
        online=lambda subject: ranked(popularity.trending(), subject),
        as_of=lambda subject, moment: ranked(popularity.as_of(moment)[1], subject),
    )


def definitions() -> list[Feature]:
    """Return all of them; Redis keys are those of the settings in effect."""
    events = "interactions_event.occurred_at, item_id, event_type_id"
    return [
        _of_user(
            "history",
            "h",
            f"(n ≤ {features.HISTORY_LENGTH},) items int64, types int64, moments float64, values float32, newest first",
            "primary keys, POSIX seconds, the event's own value",
            f"{events}, value",
            lambda user: list(
                zip(
                    user.item_pks.tolist(),
                    user.type_ids.tolist(),
                    user.occurred_at.tolist(),
                    [None if value != value else value for value in user.values.tolist()],
                    strict=True,
                )
            ),
        ),
        _of_user(
            "seen",
            "s",
            "(m,) int64, ascending, unique",
            "item primary keys",
            f"{events} (types that mark an item as seen)",
            lambda user: user.seen_pks.tolist(),
        ),
        Feature(
            name="shown",
            entity="user",
            type=f"(n ≤ {shown.MOST},) items int64, moments uint32, in order of both",
            unit="primary keys, whole POSIX seconds; kept once a rule against fatigue asks",
            lifetime_seconds=feature_store.LIFETIME_SECONDS,
            source=f"interactions_impression.user_id, item_id, shown_at of {shown.LONGEST_DAYS} days",
            redis_key=f"{redis_slots.described('user')} {feature_store.SHOWN}",
            online=lambda user_id: sorted(features.load(user_id, with_shown=True)[0].shown.tolist()),
            as_of=lambda user_id, moment: sorted(shown.unpack(shown.from_database(user_id, moment)).tolist()),
        ),
        _of_user(
            "preferences",
            "f",
            "three tuples of text",
            "categories, tags, external item ids",
            "interactions_userprofile.preferences",
            lambda user: user.preferences,
            told=True,
        ),
        _of_user(
            "country",
            "c",
            "text",
            "two-letter code, empty when unknown",
            "interactions_userprofile.country",
            lambda user: user.country,
            told=True,
        ),
        _of_user(
            "consent",
            "a",
            "bool",
            "whether anything may be kept of him",
            "interactions_userprofile.consent",
            lambda user: user.consent,
            told=True,
        ),
        Feature(
            name="popularity",
            entity="item",
            type="float64",
            unit="users, each by his strongest event's weight, halved every popularity half-life",
            lifetime_seconds=None,
            source=f"{events}, received_at → catalog_item.popularity",
            redis_key="",
            online=catalogue_popularity.of,
            as_of=lambda pk, moment: popularity.as_of(moment)[0].get(pk, 0.0),
        ),
        _trending("trending", "site", events, lambda found: {"": found.everywhere}),
        _trending(
            "trending by country",
            "country",
            f"{events}, context → country, else interactions_userprofile.country",
            lambda found: found.countries,
        ),
        _trending(
            "trending by category",
            "category",
            f"{events}, catalog_item.category",
            lambda found: found.categories,
        ),
        Feature(
            name="explored",
            entity="item",
            type="int64",
            unit=f"times shown by exploration within {explored.WINDOW_DAYS} days",
            lifetime_seconds=announced.LIFETIME_SECONDS,
            source="interactions_impression.shown_at, item_id, source",
            redis_key=key(explored.NAME),
            online=lambda pk: explored.current().get(pk, 0),
            as_of=lambda pk, moment: explored.as_of(moment).get(pk, 0),
        ),
    ]
