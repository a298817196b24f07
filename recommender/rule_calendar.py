"""Which scheduled rules are in effect on which days of a month: those that serve, and those only written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection
from django.utils import timezone

from recommender.models import Rule
from recommender.rules import draft, versions
from recommender.rules.schedule import MINUTES_A_DAY, Schedule
from recommender.rules.vocabulary import RuleSpec

PAGE = 50
"""Rules a page."""
FIRST_YEAR, LAST_YEAR = 2000, 2100
COLUMN = 20
"""Width of a day in the drawing."""

# What serves is read out of the version's JSON in the database: it may have ten thousand rules, a page has PAGE.
_IN_MONTH = """
    WITH one AS (
        SELECT (rule ->> 'pk')::bigint AS pk, (rule #>> '{schedule,since}')::float8 AS since,
            (rule #>> '{schedule,until}')::float8 AS until
        FROM recommender_activerules active JOIN recommender_rulesetversion version ON version.id = active.version_id,
            jsonb_array_elements(version.rules) AS rule
        WHERE active.alias = %(alias)s AND rule -> 'schedule' ?| '{since,until,weekdays,opens}'
        UNION ALL
        SELECT id, extract(epoch FROM active_from), extract(epoch FROM active_until) FROM recommender_rule
        WHERE is_active AND (
            active_from IS NOT NULL OR active_until IS NOT NULL OR weekdays <> '{}' OR opens IS NOT NULL
        )
    )
    SELECT pk FROM one
    WHERE coalesce(since, '-infinity') < %(end)s AND coalesce(until, 'infinity') > %(start)s
    GROUP BY pk ORDER BY min(coalesce(since, '-infinity')), pk LIMIT %(limit)s OFFSET %(offset)s
"""
_SERVING = """
    SELECT rule FROM recommender_activerules active
        JOIN recommender_rulesetversion version ON version.id = active.version_id,
        jsonb_array_elements(version.rules) AS rule
    WHERE active.alias = %s AND (rule ->> 'pk')::bigint = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Days in a row on which a rule is in effect; x and width are those of the drawing."""

    first: date
    last: date
    x: int
    width: int

    @property
    def text(self) -> str:
        """The days in words."""
        return f"{self.first.day}" if self.first == self.last else f"{self.first.day}–{self.last.day}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One schedule of a rule in the month."""

    pk: int
    name: str
    serves: bool
    """False: it is only a draft."""
    state: str
    exists: bool
    """False: the draft has it no more."""
    hours: str
    """Weekdays and times of day, empty when all."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """All that the template draws."""

    first: date
    previous: date
    next: date
    days: tuple[tuple[date, int], ...]
    """Each with its x."""
    today: date | None
    """None when it is in another month."""
    lines: tuple[RuleLine, ...]
    page: int
    has_more: bool
    column: int = COLUMN

    @property
    def width(self) -> int:
        """Of the drawing."""
        return COLUMN * len(self.days)


def asked_month(text: str) -> date:
    """Return the first day of the month named as 2026-03, of this month when it is none."""
    try:
        asked = date.fromisoformat(f"{text}-01")
    except ValueError:
        asked = timezone.now().date()
    return asked.replace(day=1, year=min(max(asked.year, FIRST_YEAR), LAST_YEAR))


def month(first: date, page: int = 0) -> Month:
    """Return a month's page: six queries at most, however many rules there are.

    A rule that serves as it is written has one line, one that was changed since has two where its schedule differs.
    """
    after = _next(first)
    days = [first + timedelta(days=day) for day in range((after - first).days)]
    pks = _pks(first, after, page)
    rules = Rule.objects.filter(pk__in=pks).prefetch_related("picked", "clauses", "placements")
    written = {rule.pk: (rule, draft.spec_of(rule)) for rule in rules}
    serving = _serving(pks)
    today = timezone.now().date()
    lines = [line for pk in pks[:PAGE] for line in _lines(days, serving.get(pk), written.get(pk))]
    return Month(
        first=first,
        previous=(first - timedelta(days=1)).replace(day=1),
        next=after,
        days=tuple((day, COLUMN * place) for place, day in enumerate(days)),
        today=today if today in days else None,
        lines=tuple(lines),
        page=page,
        has_more=len(pks) > PAGE,
    )


def on_day(schedule: Schedule, day: date) -> bool:
    """Return whether it is in effect at some moment of `day`, a day of its own time zone."""
    zone = ZoneInfo(schedule.time_zone)
    start, end = _at(day, 0, zone), _at(day, MINUTES_A_DAY, zone)
    opens = schedule.opens or 0
    closes = MINUTES_A_DAY if schedule.closes is None else schedule.closes
    closes += MINUTES_A_DAY if closes <= opens else 0
    if schedule.since is not None:
        start = max(start, schedule.since)
    if schedule.until is not None:
        end = min(end, schedule.until)
    # Over midnight, the hours of a day have begun on the day before.
    return any(
        max(start, _at(begins, opens, zone)) < min(end, _at(begins, closes, zone))
        for begins in (day - timedelta(days=1), day)
        if not schedule.weekdays or begins.isoweekday() in schedule.weekdays
    )


def _pks(first: date, after: date, page: int) -> list[int]:
    """Return the rules of a page, and one more when there is another page."""
    # A day wider at both ends: time zones.
    values: dict[str, str | float] = {
        "alias": versions.ALIAS,
        "start": _at(first - timedelta(days=1), 0, UTC),
        "end": _at(after + timedelta(days=1), 0, UTC),
        "limit": PAGE + 1,
        "offset": PAGE * page,
    }
    with connection.cursor() as cursor:
        cursor.execute(_IN_MONTH, values)
        return [pk for (pk,) in cursor.fetchall()]


def _serving(pks: Sequence[int]) -> dict[int, RuleSpec]:
    with connection.cursor() as cursor:
        cursor.execute(_SERVING, [versions.ALIAS, list(pks)])
        found = [msgspec.json.decode(rule, type=RuleSpec, strict=False) for (rule,) in cursor.fetchall()]
    return {spec.pk: spec for spec in found}


def _lines(days: Sequence[date], serving: RuleSpec | None, written: tuple[Rule, RuleSpec] | None) -> list[RuleLine]:
    rule, spec = written if written is not None else (None, None)
    if serving is None:
        return [] if rule is None or spec is None else _line(days, spec, "draft", serves=False, exists=True)
    if rule is None or spec is None:
        return _line(days, serving, "published, deleted in the draft", serves=True, exists=False)
    if not rule.is_active:
        return _line(days, serving, "published, off in the draft", serves=True, exists=True)
    if serving == spec:
        return _line(days, serving, "published", serves=True, exists=True)
    found = _line(days, serving, "published, the draft differs", serves=True, exists=True)
    if serving.schedule != spec.schedule:
        found += _line(days, spec, "draft", serves=False, exists=True)
    return found


def _line(days: Sequence[date], spec: RuleSpec, state: str, *, serves: bool, exists: bool) -> list[RuleLine]:
    bars = tuple(_bars(days, spec.schedule))
    if not bars:
        return []
    return [
        RuleLine(
            pk=spec.pk,
            name=spec.name,
            serves=serves,
            state=state,
            exists=exists,
            hours=_hours(spec.schedule),
            bars=bars,
        )
    ]


def _bars(days: Sequence[date], schedule: Schedule) -> Iterable[Bar]:
    numbered = [(place, day, on_day(schedule, day)) for place, day in enumerate(days)]
    for is_on, run in groupby(numbered, key=lambda one: one[2]):
        if is_on:
            part = list(run)
            yield Bar(first=part[0][1], last=part[-1][1], x=COLUMN * part[0][0], width=COLUMN * len(part))


def _hours(schedule: Schedule) -> str:
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    words = " ".join(names[day - 1] for day in schedule.weekdays)
    if schedule.opens is not None and schedule.closes is not None:
        words += f" {_clock(schedule.opens)}–{_clock(schedule.closes)}"
    return f"{words.strip()} ({schedule.time_zone})" if words else ""


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _at(day: date, minute: int, zone: Any) -> float:
    """Return the POSIX time of a minute of a place's day; minutes beyond the day are on the next."""
    days, minute = divmod(minute, MINUTES_A_DAY)
    moment = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), zone)
    return moment.timestamp()


def _next(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
