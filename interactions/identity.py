"""The id of an event that came without one: derived from its content, so that a repeat is the same event.

md5 over user, item, type, microseconds since the epoch and value, joined by the ASCII unit separator. The value goes in
as the sixteen hexadecimal digits of its big-endian IEEE 754 bytes: decimal texts differ between Python and Postgres
(`4.0` and `4`, `1000000000000000.0` and `1e+15`), the bytes never do. `CONTENT_ID_SQL` is the same formula in SQL.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta

SEPARATOR = "\x1f"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

CONTENT_ID_SQL = """
    md5({user_id} || E'\\x1f' || {item_id} || E'\\x1f' || {event_type} || E'\\x1f' || ({microseconds})::text || E'\\x1f'
        || coalesce(encode(float8send({value}), 'hex'), ''))::uuid
"""
"""Format with the SQL expressions of text `user_id`, `item_id`, `event_type`, bigint `microseconds`, float8 `value`."""


def microseconds_since_epoch(moment: datetime) -> int:
    """Return whole microseconds from 1970-01-01 UTC to `moment` (aware), exactly."""
    return (moment - EPOCH) // _MICROSECOND


def content_digest(user_id: str, item_id: str, event_type: str, microseconds: int, value: float | None) -> str:
    """Return the 32 hexadecimal digits that stand for this content; `microseconds` since the epoch."""
    bits = "" if value is None else struct.pack(">d", value).hex()
    content = f"{user_id}{SEPARATOR}{item_id}{SEPARATOR}{event_type}{SEPARATOR}{microseconds}{SEPARATOR}{bits}"
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
