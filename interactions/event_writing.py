"""One batch of events into Postgres: which item, which of them first, who, then the rows and what became of each.

Nearly always that is one statement (`event_rows`), which is its own transaction. Only where somebody is unknown or
withholds his consent is it asked again without him or after he was created; and only where dead letters or notes go
with the events is there a transaction around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import nan

from django.db import connection, transaction

from interactions import dead_letters, event_rows, stale_histories
from interactions.contracts import ACCEPTED, DUPLICATE, EventInput, Verdict
from interactions.event_rows import EventRow
from interactions.event_types import EventTypes
from interactions.feature_store import StoredEvent
from interactions.identity import content_digest, microseconds_since_epoch
from interactions.known_items import known_items

_COUNTRY = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: a verdict for each event, and the new events that histories hold."""

    verdicts: list[Verdict]
    stored: list[StoredEvent] = field(default_factory=list)


def write(
    events: Sequence[EventInput],
    types: EventTypes,
    catalogue_revision: int,
    source: str,
    stale_users: Sequence[str],
) -> Outcome:
    """Store a batch in one transaction, the caller's if he has one; he retries it as a whole when it deadlocks.

    `stale_users` are those whose cached histories could not be warned (`stale_histories`).
    """
    now = datetime.now(UTC)
    verdicts = [ACCEPTED] * len(events)
    rows, orphans = _with_known_item(events, types, catalogue_revision, now, verdicts)
    with transaction.atomic() if orphans or stale_users else nullcontext():
        while (stored := _store(rows, now, verdicts)) is None:
            rows = _of_the_willing(rows, now, verdicts)
        if orphans:
            withheld = _withholding({event.user_id for event in orphans})
            dead_letters.keep_orphans([event for event in orphans if event.user_id not in withheld], now, source)
        if stale_users:
            stale_histories.note(stale_users)
    return Outcome(verdicts, [_stored(row, types) for row in stored if row.type_id in types.remembered])


def _with_known_item(
    events: Sequence[EventInput], types: EventTypes, catalogue_revision: int, now: datetime, verdicts: list[Verdict]
) -> tuple[list[EventRow], list[EventInput]]:
    pks = known_items.pks({event.item_id for event in events}, catalogue_revision)
    type_ids = types.id_by_name
    rows, orphans = [], []
    for position, event in enumerate(events):
        type_id, item_pk = type_ids.get(event.event_type), pks.get(event.item_id)
        if type_id is None:
            valid = ", ".join(sorted(type_ids))
            message = f"There is no event type {event.event_type!r}; valid are: {valid}."
            verdicts[position] = Verdict("rejected", "event_type_unknown", message)
        elif item_pk is None:
            message = f"There is no item {event.item_id!r}; the event is kept and replayed when the item arrives."
            verdicts[position] = Verdict("rejected", "item_unknown", message)
            orphans.append(event)
        else:
            rows.append(_row(position, event, item_pk, type_id, now))
    return rows, orphans


def _row(position: int, event: EventInput, item_pk: int, type_id: int, now: datetime) -> EventRow:
    moment = event.occurred_at
    microseconds = microseconds_since_epoch(moment or now)
    # Without a timestamp of its own a repeat comes at another moment and is the same event nevertheless.
    counted = 0 if moment is None and event.event_id is not None else microseconds
    digest = content_digest(event.user_id, event.item_id, event.event_type, counted, event.value)
    event_id = digest if event.event_id is None else event.event_id.hex
    return EventRow(position, event, item_pk, type_id, microseconds, digest, event_id)


def _store(rows: list[EventRow], now: datetime, verdicts: list[Verdict]) -> list[EventRow] | None:
    """Store each id once; an id that came with other content before, here or earlier, is a conflict.

    Returns the rows that are new; None, and nothing is stored, when a user is unknown or withholds his consent.
    """
    firsts: dict[str, EventRow] = {}
    for row in rows:
        firsts.setdefault(row.event_id, row)
    known = event_rows.insert(list(firsts.values()), now)
    if known is None:
        return None
    if len(firsts) == len(rows) and not known.event_ids:
        return rows
    for row in rows:
        first = firsts[row.event_id]
        if row is first and row.event_id not in known.event_ids:
            continue
        if row.digest == known.digests.get(row.event_id, first.digest):
            verdicts[row.position] = DUPLICATE
        else:
            message = f"The id {row.event.event_id} belongs to another event; the first one stays."
            verdicts[row.position] = Verdict("rejected", "id_conflict", message)
    return [row for row in firsts.values() if row.event_id not in known.event_ids]


def _of_the_willing(rows: list[EventRow], now: datetime, verdicts: list[Verdict]) -> list[EventRow]:
    """Create the users that do not exist, and leave out the events of those who withhold their consent."""
    wanted = {row.event.user_id for row in rows}
    withholding = _withholding(wanted)
    _create(sorted(wanted - withholding), rows, now)
    willing = []
    for row in rows:
        if row.event.user_id not in withholding:
            willing.append(row)
        else:
            message = f"User {row.event.user_id!r} withholds consent; nothing was stored."
            verdicts[row.position] = Verdict("rejected", "consent_withheld", message)
    return willing


def _create(user_ids: list[str], rows: list[EventRow], now: datetime) -> None:
    # The first one that says where: somebody nobody has told the site about is still somewhere.
    told = ((row.event.user_id, _country_of(row.event)) for row in reversed(rows))
    countries = {user_id: country for user_id, country in told if country}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO interactions_userprofile (user_id, country, preferences, consent, created_at)
            SELECT user_id, country, '{}', 'granted', %s FROM unnest(%s::text[], %s::text[]) AS new (user_id, country)
            WHERE NOT EXISTS (SELECT FROM interactions_userprofile AS old WHERE old.user_id = new.user_id)
            ORDER BY user_id ON CONFLICT (user_id) DO NOTHING
            """,
            [now, user_ids, [countries.get(user_id, "") for user_id in user_ids]],
        )


def _country_of(event: EventInput) -> str:
    """Return the two-letter country of an event's context, "" when it does not say; as `popularity` reads it."""
    country = (event.context or {}).get("country")
    return country.upper() if isinstance(country, str) and _COUNTRY.fullmatch(country) else ""


def _withholding(user_ids: Iterable[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT user_id FROM interactions_userprofile WHERE user_id = ANY(%s) AND consent <> 'granted'
            ORDER BY user_id FOR KEY SHARE
            """,
            [list(user_ids)],
        )
        return {user_id for (user_id,) in cursor.fetchall()}


def _stored(row: EventRow, types: EventTypes) -> StoredEvent:
    event = row.event
    return StoredEvent(
        user_id=event.user_id,
        item_pk=row.item_pk,
        type_id=row.type_id,
        occurred_at=row.microseconds / 1_000_000,
        value=nan if event.value is None else event.value,
        event_bits=int(row.event_id[16:], 16),
        marks_seen=row.type_id in types.marks_seen,
    )
