"""When a rule is in effect: between two moments, on some weekdays, in some hours of a place's own time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

MINUTES_A_DAY = 1440


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Empty, it is always in effect."""

    since: float | None = None
    """POSIX seconds."""
    until: float | None = None
    """POSIX seconds; over at this very moment."""
    weekdays: tuple[int, ...] = ()
    """1 is Monday; of the day on which the hours begin."""
    opens: int | None = None
    """Minute of the day, 0..1439."""
    closes: int | None = None
    """Minute of the day; before `opens` it is on the next day. Both are given or none."""
    time_zone: str = "UTC"

    @property
    def has_hours(self) -> bool:
        """Whether the time of day or of the week matters."""
        return bool(self.weekdays) or self.opens is not None

    def contains(self, now: float) -> bool:
        """Return whether it is in effect at POSIX time `now`."""
        if (self.since is not None and now < self.since) or (self.until is not None and now >= self.until):
            return False
        if not self.has_hours:
            return True
        local = datetime.fromtimestamp(now, _zone(self.time_zone))
        minute = local.hour * 60 + local.minute
        opens, closes = self.opens or 0, MINUTES_A_DAY if self.closes is None else self.closes
        overnight = closes <= opens
        if overnight and minute < closes:
            # It began yesterday.
            local -= timedelta(days=1)
        elif minute < opens or (not overnight and minute >= closes):
            return False
        return not self.weekdays or local.isoweekday() in self.weekdays

    def changes_after(self, now: float) -> float:
        """Return a POSIX time after `now` before which it stays as it is; +inf when it stays so for good."""
        moments = [moment for moment in (self.since, self.until) if moment is not None and moment > now]
        if self.has_hours:
            # Zones shift by whole minutes.
            moments.append((now // 60 + 1) * 60)
        return min(moments, default=float("inf"))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
