"""One batch of events into Postgres, inside the caller's transaction: who, which item, seen before, then the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import nan
from uuid import UUID

import msgspec
from django.db import connection

from catalog import queries as catalogue
from interactions import dead_letters
from interactions.contracts import ACCEPTED, DUPLICATE, EventInput, Verdict
from interactions.event_types import EventTypes
from interactions.feature_store import StoredEvent
from interactions.identity import EPOCH, derive_event_id

NO_ID = UUID(int=0)
_LOW_64_BITS = 2**64 - 1
_COUNTRY = re.compile(r"[A-Za-z]{2}")


@dataclass(slots=True)
class _Candidate:
    """An event still on its way into the table."""

    position: int
    event: EventInput
    occurred_at: datetime
    item_pk: int
    type_id: int
    user_pk: int = 0
    event_id: UUID = NO_ID


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: a verdict for each event, and the events that are new."""

    verdicts: list[Verdict]
    stored: list[StoredEvent] = field(default_factory=list)


def write(events: Sequence[EventInput], types: EventTypes, source: str) -> Outcome:
    """Store a batch. The caller holds a transaction, and retries it as a whole when it deadlocks."""
    now = datetime.now(UTC)
    verdicts: dict[int, Verdict] = {}
    candidates = _with_known_item(events, types, now, source, verdicts)
    candidates = _with_consent(candidates, now, verdicts)
    candidates = _first_of_their_id(candidates, now, verdicts)
    stored = _insert(candidates, now, verdicts)
    return Outcome(
        verdicts=[verdicts[position] for position in range(len(events))],
        stored=[_stored(candidate, types) for candidate in stored],
    )


def _with_known_item(
    events: Sequence[EventInput], types: EventTypes, now: datetime, source: str, verdicts: dict[int, Verdict]
) -> list[_Candidate]:
    pks = catalogue.pks_by_item_id({event.item_id for event in events})
    candidates, orphans = [], []
    for position, event in enumerate(events):
        type_id = types.id_by_name.get(event.event_type)
        item_pk = pks.get(event.item_id)
        if type_id is None:
            valid = ", ".join(sorted(types.id_by_name))
            message = f"There is no event type {event.event_type!r}; valid are: {valid}."
            verdicts[position] = Verdict("rejected", "event_type_unknown", message)
        elif item_pk is None:
            message = f"There is no item {event.item_id!r}; the event is kept and replayed when the item arrives."
            verdicts[position] = Verdict("rejected", "item_unknown", message)
            orphans.append(event)
        else:
            candidates.append(_Candidate(position, event, event.occurred_at or now, item_pk, type_id))
    withheld = _withholding({event.user_id for event in orphans})
    dead_letters.keep_orphans([event for event in orphans if event.user_id not in withheld], now, source)
    return candidates


def _with_consent(candidates: list[_Candidate], now: datetime, verdicts: dict[int, Verdict]) -> list[_Candidate]:
    """Find or create the users, and hold them against erasure and merging until the transaction ends."""
    wanted = {candidate.event.user_id for candidate in candidates}
    users = _lock_users(wanted)
    missing = sorted(wanted - users.keys())
    if missing:
        # The first one that says where: somebody nobody has told the site about is still somewhere.
        told = ((candidate.event.user_id, _country_of(candidate.event)) for candidate in reversed(candidates))
        countries = {user_id: country for user_id, country in told if country}
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO interactions_userprofile (user_id, country, preferences, consent, created_at)
                SELECT unnest(%s::text[]), unnest(%s::text[]), '{}', 'granted', %s ON CONFLICT (user_id) DO NOTHING
                """,
                [missing, [countries.get(user_id, "") for user_id in missing], now],
            )
        users |= _lock_users(missing)
    kept = []
    for candidate in candidates:
        candidate.user_pk, consent = users[candidate.event.user_id]
        if consent:
            kept.append(candidate)
        else:
            message = f"User {candidate.event.user_id!r} withholds consent; nothing was stored."
            verdicts[candidate.position] = Verdict("rejected", "consent_withheld", message)
    return kept


def _country_of(event: EventInput) -> str:
    """Return the two-letter country of an event's context, "" when it does not say; as `popularity` reads it."""
    country = (event.context or {}).get("country")
    return country.upper() if isinstance(country, str) and _COUNTRY.fullmatch(country) else ""


def _lock_users(user_ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT user_id, id, consent = 'granted' FROM interactions_userprofile
            WHERE user_id = ANY(%s) ORDER BY user_id FOR KEY SHARE
            """,
            [list(user_ids)],
        )
        return {user_id: (pk, consent) for user_id, pk, consent in cursor.fetchall()}


def _withholding(user_ids: Iterable[str]) -> set[str]:
    wanted = list(user_ids)
    return {user_id for user_id, (_, consent) in _lock_users(wanted).items() if not consent} if wanted else set()


def _first_of_their_id(candidates: list[_Candidate], now: datetime, verdicts: dict[int, Verdict]) -> list[_Candidate]:
    """Keep each id once; an id that came with other content before, here or earlier, is a conflict."""
    fingerprints = {candidate.position: _identify(candidate) for candidate in candidates}
    firsts: dict[UUID, _Candidate] = {}
    for candidate in candidates:
        firsts.setdefault(candidate.event_id, candidate)
    given = {
        event_id: fingerprints[first.position] for event_id, first in firsts.items() if first.event.event_id is not None
    }
    earlier = _already_given(given, now)
    kept = []
    for candidate in candidates:
        first = firsts[candidate.event_id]
        if candidate is first and candidate.event_id not in earlier:
            kept.append(candidate)
        elif fingerprints[candidate.position] == earlier.get(candidate.event_id, fingerprints[first.position]):
            verdicts[candidate.position] = DUPLICATE
        else:
            message = f"The id {candidate.event_id} belongs to another event; the first one stays."
            verdicts[candidate.position] = Verdict("rejected", "id_conflict", message)
    return kept


def _identify(candidate: _Candidate) -> UUID:
    """Set the candidate's id; return the fingerprint of its content."""
    event = candidate.event
    # Without a timestamp of its own a repeat comes at another moment and is the same event nevertheless.
    moment = candidate.occurred_at if event.event_id is None else event.occurred_at or EPOCH
    fingerprint = derive_event_id(event.user_id, event.item_id, event.event_type, moment, event.value)
    candidate.event_id = event.event_id or fingerprint
    return fingerprint


def _already_given(given: dict[UUID, UUID], now: datetime) -> dict[UUID, UUID]:
    """Claim client-given ids; return id → fingerprint of those that were claimed before."""
    if not given:
        return {}
    ids = sorted(given)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO interactions_eventkey (event_id, fingerprint, received_at)
            SELECT event_id, fingerprint, %s FROM unnest(%s::uuid[], %s::uuid[]) AS given (event_id, fingerprint)
            ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id
            """,
            [now, ids, [given[event_id] for event_id in ids]],
        )
        claimed = {row[0] for row in cursor.fetchall()}
        earlier = [event_id for event_id in ids if event_id not in claimed]
        if not earlier:
            return {}
        cursor.execute(
            "SELECT event_id, fingerprint FROM interactions_eventkey WHERE event_id = ANY(%s::uuid[])", [earlier]
        )
        return dict(cursor.fetchall())


def _insert(candidates: list[_Candidate], now: datetime, verdicts: dict[int, Verdict]) -> list[_Candidate]:
    if not candidates:
        return []
    rows = sorted(candidates, key=lambda candidate: candidate.event_id.int)
    events = [candidate.event for candidate in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO interactions_event
                (event_id, occurred_at, user_id, item_id, event_type_id, value, context, request_id, received_at)
            SELECT event_id, occurred_at, user_id, item_id, event_type_id, value, context::jsonb, request_id, %s
            FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[],
                        %s::text[], %s::uuid[])
                AS new (event_id, occurred_at, user_id, item_id, event_type_id, value, context, request_id)
            ORDER BY event_id ON CONFLICT DO NOTHING RETURNING event_id
            """,
            [
                now,
                [candidate.event_id for candidate in rows],
                [candidate.occurred_at for candidate in rows],
                [candidate.user_pk for candidate in rows],
                [candidate.item_pk for candidate in rows],
                [candidate.type_id for candidate in rows],
                [event.value for event in events],
                [None if event.context is None else msgspec.json.encode(event.context).decode() for event in events],
                [event.request_id for event in events],
            ],
        )
        inserted = {row[0] for row in cursor.fetchall()}
    for candidate in rows:
        verdicts[candidate.position] = ACCEPTED if candidate.event_id in inserted else DUPLICATE
    return [candidate for candidate in candidates if candidate.event_id in inserted]


def _stored(candidate: _Candidate, types: EventTypes) -> StoredEvent:
    event = candidate.event
    return StoredEvent(
        user_id=event.user_id,
        item_pk=candidate.item_pk,
        type_id=candidate.type_id,
        occurred_at=candidate.occurred_at.timestamp(),
        value=nan if event.value is None else event.value,
        event_bits=candidate.event_id.int & _LOW_64_BITS,
        marks_seen=candidate.type_id in types.marks_seen,
    )
