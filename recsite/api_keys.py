"""API keys: made once, kept as a hash, verified from memory.

A key reads `rs_<prefix>_<secret>`: 8 hexadecimal digits by which it is looked up, and 160 random bits. A publishable
one begins with `rp_`: it stands in pages for everybody to read, so it is bound to their origins and to the person who
looks at them (`user_signatures`).
Verified keys (and refused ones) are remembered for `CACHE_SECONDS`, so that a busy key costs no query and a revoked
one is refused everywhere within that time.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.utils import timezone

from catalog.postgres.patience import within
from recsite.models import ApiKey

logger = logging.getLogger(__name__)

CACHE_SECONDS = 5.0
CHECK_SECONDS = 0.2
OUTAGE_SECONDS = 600.0
"""While Postgres cannot be asked, a key that was good keeps its rights this long: lists are served from memory."""
MOST_REMEMBERED = 4096
"""Of each kind, so that a flood of wrong keys neither fills the memory nor pushes out the good ones."""
LAST_USED_EVERY = timedelta(minutes=1)
MOST_A_MINUTE = 10_000_000
PUBLISHABLE_SCOPES = ("read", "events")
ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedKey:
    """Who asks, and what he may do."""

    pk: int
    name: str
    prefix: str
    scopes: frozenset[str]
    origins: frozenset[str] = frozenset()
    """Where a publishable key may stand; a secret one has none."""

    rate: int | None = None
    """Requests a minute; None: what `RATE_LIMITS` says of its kind."""

    @property
    def is_publishable(self) -> bool:
        """Whether everybody can read it."""
        return bool(self.origins)


@dataclass(frozen=True, slots=True)
class _Remembered:
    key: VerifiedKey | None
    asked_at: float
    known_good_at: float


_good: dict[str, _Remembered] = {}
_refused: dict[str, _Remembered] = {}
_origins: tuple[float, frozenset[str]] | None = None
"""When they were read, and those of all publishable keys."""


def create(name: str, scopes: Iterable[str], origins: Iterable[str] = (), rate: int | None = None) -> str:
    """Store a new key and return it; a secret one cannot be read again.

    Parameters
    ----------
    origins
        Makes the key publishable: the web origins whose pages it may stand in, as "https://www.example.org".
    rate
        Requests a minute, 1 to MOST_A_MINUTE; None: what `RATE_LIMITS` says of its kind.

    Raises
    ------
    ValueError
        No name, no scope, a scope that does not exist or that no publishable key may have, what is no origin, or a rate
        out of its range.
    """
    chosen, places = check(name, scopes, origins, rate)
    prefix = secrets.token_hex(4)
    key = f"{'rp' if places else 'rs'}_{prefix}_{secrets.token_hex(20)}"
    ApiKey.objects.create(
        name=name.strip(),
        prefix=prefix,
        sha256=_sha256(key),
        scopes=chosen,
        origins=places,
        published=key if places else "",
        rate=rate,
    )
    forget()
    return key


def check(
    name: str, scopes: Iterable[str], origins: Iterable[str] = (), rate: int | None = None
) -> tuple[list[str], list[str]]:
    """Return scopes and origins as they are stored; raises as `create`."""
    chosen = list(dict.fromkeys(scopes))
    unknown = [scope for scope in chosen if scope not in ApiKey.Scope.values]
    if unknown or not chosen:
        received = ", ".join(unknown) or "none"
        raise ValueError(f"Unknown scope: {received}. Choose from {', '.join(ApiKey.Scope.values)}.")
    if not name.strip() or len(name) > 100:
        raise ValueError(f"A key's name has 1 to 100 characters, not {len(name.strip())}.")
    if rate is not None and not 1 <= rate <= MOST_A_MINUTE:
        raise ValueError(f"A key's rate is 1 to {MOST_A_MINUTE:,} requests a minute, not {rate:,}.")
    places = list(dict.fromkeys(origin.strip().rstrip("/").lower() for origin in origins))
    for place in places:
        if not ORIGIN.fullmatch(place):
            raise ValueError(f"{place!r} is no origin: scheme and host (and port), as https://www.example.org.")
    too_much = [scope for scope in chosen if places and scope not in PUBLISHABLE_SCOPES]
    if too_much:
        raise ValueError(f"Everybody can read a publishable key: it may not have the scope {', '.join(too_much)}.")
    return chosen, places


def verify(key: str) -> VerifiedKey | None:
    """Return whose key this is, None when it is wrong or revoked. No query when asked within `CACHE_SECONDS`.

    Raises
    ------
    django.db.OperationalError
        Postgres cannot be asked and the key was not known to be good.
    """
    digest = _sha256(key)
    now = time.monotonic()
    remembered = _good.get(digest) or _refused.get(digest)
    if remembered is not None and now - remembered.asked_at < CACHE_SECONDS:
        return remembered.key
    try:
        # One that was good is not worth waiting for.
        with within(CHECK_SECONDS) if remembered else nullcontext():
            found = _look_up(key, digest)
    except (OperationalError, InterfaceError):
        if remembered is None or remembered.key is None or now - remembered.known_good_at > OUTAGE_SECONDS:
            raise
        logger.warning("Postgres cannot be asked; key %r keeps the rights it had", remembered.key.name)
        _good[digest] = _Remembered(remembered.key, now, remembered.known_good_at)
        return remembered.key
    _remember(digest, found, now)
    return found


def revoke(prefix: str) -> bool:
    """Revoke the key with this prefix: refused here at once, elsewhere within `CACHE_SECONDS`. False: no such key."""
    revoked = ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=timezone.now())
    forget()
    return bool(revoked)


def origins() -> frozenset[str]:
    """Return the origins of all publishable keys; no query when asked within `CACHE_SECONDS`.

    Raises
    ------
    django.db.OperationalError
        Postgres cannot be asked and never was.
    """
    global _origins
    held, now = _origins, time.monotonic()
    if held is not None and now - held[0] < CACHE_SECONDS:
        return held[1]
    try:
        rows = ApiKey.objects.filter(revoked_at=None).exclude(origins=[]).values_list("origins", flat=True)
        found = frozenset(origin for row in rows for origin in row)
    except (OperationalError, InterfaceError):
        if held is None:
            raise
        found = held[1]
    _origins = now, found
    return found


def published_for(origin: str) -> str:
    """Return the newest publishable key for pages of `origin` that may do all that one can, "" when there is none."""
    usable = ApiKey.objects.filter(revoked_at=None, origins__contains=[origin], scopes__contains=PUBLISHABLE_SCOPES)
    found = usable.exclude(published="").order_by("-created_at").values_list("published", flat=True).first()
    return found or ""


def forget() -> None:
    """Forget every remembered key of this process."""
    global _origins
    _origins = None
    _good.clear()
    _refused.clear()


def _look_up(key: str, digest: str) -> VerifiedKey | None:
    match key.split("_"):
        case ["rs" | "rp", prefix, _] if len(prefix) == 8 and key.isascii() and key.isprintable():
            row = ApiKey.objects.filter(prefix=prefix).first()
        case _:
            return None
    # Hashes are compared in constant time, also against nothing: the time must not tell a prefix that exists.
    matches = compare_digest(row.sha256 if row else "0" * 64, digest)
    if row is None or not matches or row.revoked_at is not None:
        return None
    _touch(row)
    return VerifiedKey(
        pk=row.pk,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(row.scopes),
        origins=frozenset(row.origins),
        rate=row.rate,
    )


def _touch(row: ApiKey) -> None:
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
    if row.last_used_at is None or row.last_used_at < now - LAST_USED_EVERY:
        ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now)


def _remember(digest: str, found: VerifiedKey | None, now: float) -> None:
    _good.pop(digest, None)
    _refused.pop(digest, None)
    kept = _refused if found is None else _good
    if len(kept) >= MOST_REMEMBERED:
        kept.clear()
    kept[digest] = _Remembered(found, now, now)


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
