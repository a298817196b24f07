"""How many requests a minute an API key, or an address without one, may make. Nothing a client sends changes whose they
are counted as.

Redis counts, in one script, for all processes together: a window of a minute begins with the first request. A process
takes requests out of it by portions of a `SHARE`-th of the limit and answers from its portion, so that a busy key costs
one round trip in hundreds of requests and never gets more than its limit; what a process has not used when the window
ends is lost to it. While Redis is away each process counts the whole limit for itself.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import Throttled

from catalog.redis_store import key
from interactions.redis_breaker import RedisAway, ask
from recsite.addresses import address_of, pseudonym

WINDOW_SECONDS = 60
SHARE = 200
MOST_REMEMBERED = 10_000
"""Windows a process knows of; a flood of addresses must not fill its memory."""

TAKE = """
local used = redis.call('INCRBY', KEYS[1], ARGV[1])
if used == tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {used, redis.call('PTTL', KEYS[1])}
"""


class RateLimited(Throttled):
    """Too many requests. `headers` tell the client its limit and when to come back."""

    default_code = "rate_limited"

    def __init__(self, limit: int, seconds: float) -> None:
        wait = max(math.ceil(seconds), 1)
        message = f"More than {limit:,} requests a minute; come back in {wait} s."
        super().__init__(wait=None, detail=message, code=self.default_code)
        self.headers = {
            "Retry-After": str(wait),
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": str(wait),
        }


@dataclass(slots=True)
class _Portion:
    ends_at: float
    """Monotonic seconds: never later than the end of the window in Redis."""
    left: int = 0
    """Requests that may still be answered without asking Redis."""
    is_last: bool = False
    """Whether Redis has no more until the window ends."""
    taken_alone: int = 0
    """Taken while Redis was away."""


_portions: dict[str, _Portion] = {}
_lock = threading.Lock()


def spend(name: str, limit: int) -> None:
    """Take one request out of the window `name`. A limit of 0 is none.

    Raises
    ------
    RateLimited
    """
    if not limit:
        return
    where, now = key("rate", name), time.monotonic()
    with _lock:
        held = _portions.get(where)
        if held is not None and now < held.ends_at:
            if held.left:
                held.left -= 1
                return
            if held.is_last:
                raise RateLimited(limit, held.ends_at - now)
    wanted = max(limit // SHARE, 1)
    try:
        used, milliseconds = ask(lambda redis: _take(redis, where, wanted))
    except RedisAway:
        used, milliseconds = None, WINDOW_SECONDS * 1000
    with _lock:
        held = _portions.get(where)
        if held is None or now >= held.ends_at:
            held = _remember(where, _Portion(ends_at=now + milliseconds / 1000))
        if used is None:
            taken = min(wanted, limit - held.taken_alone)
            held.taken_alone += taken
        else:
            taken = min(max(limit - (used - wanted), 0), wanted)
            held.is_last = taken < wanted
            # Two threads may have asked, one of them about the window before: the shorter life is safe.
            held.ends_at = min(held.ends_at, now + milliseconds / 1000)
        held.left += taken
        if not held.left:
            raise RateLimited(limit, held.ends_at - now)
        held.left -= 1


def spend_of_address(request: HttpRequest) -> None:
    """Take one request out of those of the address it comes from, for who has shown no key.

    Raises
    ------
    RateLimited
    """
    spend(f"address:{pseudonym(address_of(request))}", settings.RATE_LIMITS["address"])


def spend_of_visitor(request: HttpRequest, key_prefix: str) -> None:
    """Take one request out of those that one address has with a publishable key, so that nobody uses up all of them.

    Raises
    ------
    RateLimited
    """
    spend(f"visitor:{key_prefix}:{pseudonym(address_of(request))}", settings.RATE_LIMITS["visitor"])


def forget() -> None:
    """Forget what this process has taken out of the windows."""
    with _lock:
        _portions.clear()


def _take(redis: Any, where: str, wanted: int) -> tuple[int, int]:
    """Return how many of the window are taken with these, and in how many milliseconds it ends."""
    # Not EVALSHA: a Redis that has just restarted would not know the script.
    used, milliseconds = redis.eval(TAKE, 1, where, wanted, WINDOW_SECONDS * 1000)
    return int(used), int(milliseconds)


def _remember(where: str, portion: _Portion) -> _Portion:
    if len(_portions) >= MOST_REMEMBERED:
        _portions.clear()
    _portions[where] = portion
    return portion
