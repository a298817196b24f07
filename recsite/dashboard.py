"""The first page of the admin: how the carousels do, in figures and charts. It counts nothing: beat has counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince

import catalog.queries
import interactions.queries
from interactions import daily_figures
from interactions.daily_figures import ALL, WEEK_DAYS, Figures
from recommender.registry import publishing
from recsite import day_charts, latency
from recsite.day_charts import DayChart

DAYS = 30
PERMISSION = "recommender.view_placement"
"""Of whoever may see the figures; the others get the list of their pages."""
LISTS = ("recommendations", "similar", "page")
"""Views that answer with lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure."""

    title: str
    value: str
    note: str
    url: str = ""
    """The page behind it; empty when he may not see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do on a new site."""

    text: str
    how: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """All that the template prints."""

    tiles: tuple[Tile, ...]
    charts: tuple[DayChart, ...]
    left_out: int
    """Placements without a line of their own."""
    counted_at: datetime | None
    steps: tuple[Step, ...]
    """Until something was shown: what comes first."""


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard to the context of the admin's index, for who may see it (unfold's DASHBOARD_CALLBACK)."""
    if request.user.has_perm(PERMISSION):
        context |= {"title": "Dashboard", "dashboard": dashboard(request.user)}
    return context


def dashboard(user: Any) -> Dashboard:
    """Return the figures of the last DAYS days (a handful of queries, none of which grows with the site)."""
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    figures = daily_figures.since(first)
    shown = any(one.impressions for one in figures)
    charts, left_out = _charts([first + timedelta(days=day) for day in range(DAYS)], figures)
    return Dashboard(
        tiles=_tiles(user, [one for one in figures if one.placement == ALL], today),
        charts=charts if shown else (),
        left_out=left_out,
        counted_at=max((one.counted_at for one in figures), default=None),
        steps=() if shown else _steps(),
    )


def _tiles(user: Any, whole: Sequence[Figures], today: date) -> tuple[Tile, ...]:
    week = [one for one in whole if one.day > today - timedelta(days=WEEK_DAYS)]
    shown = sum(one.impressions for one in week)
    newest = whole[-1] if whole else None
    active = publishing.pointer()
    times = latency.quantiles(LISTS, (0.5, 0.95))

    def share(count: Callable[[Figures], int]) -> str:
        return _percent(sum(map(count, week)), shown)

    def behind(page: str, permission: str, query: str = "") -> str:
        return f"{reverse(page)}{query}" if user.has_perm(permission) else ""

    return (
        Tile(
            title="Click-through rate",
            value=share(lambda one: one.clicked),
            note=f"of {shown:,} items shown in {WEEK_DAYS} days",
            url=behind("admin:recommender_placement_changelist", "recommender.view_placement"),
        ),
        Tile(
            title="Coverage",
            value="–" if newest is None else _percent(newest.items_in_week or 0, newest.catalogue or 0),
            note="of the catalogue, shown to somebody in 7 days",
            url=behind("admin:catalog_item_changelist", "catalog.view_item"),
        ),
        Tile(
            title="Filled by rules",
            value=share(lambda one: one.by_rule),
            note="of the places, in 7 days",
            url=behind("admin:recommender_rule_changelist", "recommender.view_rule"),
        ),
        Tile(
            title="New items",
            value=share(lambda one: one.of_new_items),
            note=f"of the places went to items out for {daily_figures.NEW_DAYS} days or less",
            url=behind("admin:catalog_item_changelist", "catalog.view_item", "?o=-5"),
        ),
        Tile(
            title="Shown",
            value="–" if newest is None else f"{newest.impressions:,}",
            note="items in lists, today so far"
            if newest is None or newest.day == today
            else f"on {newest.day:%Y-%m-%d}",
            url=behind("admin:interactions_impression_changelist", "interactions.view_impression"),
        ),
        Tile(
            title="Model age",
            value="–" if active is None else timesince(active.version.created_at, depth=1),
            note="no model yet" if active is None else f"{active.version.name} serves",
            url=behind("admin:recommender_modelversion_changelist", "recommender.view_modelversion"),
        ),
        Tile(
            title="Events a minute",
            value="–" if newest is None else _rate(newest),
            note="today, so far" if newest is None or newest.day == today else f"on {newest.day:%Y-%m-%d}",
            url=behind("admin:interactions_event_changelist", "interactions.view_event"),
        ),
        Tile(
            title="Answer time",
            value=f"{times[0] * 1000:.1f} ms" if times else "–",
            note=f"half of the lists; 95 % within {times[1] * 1000:.1f} ms" if times else "no list was asked for yet",
        ),
    )


def _charts(days: Sequence[date], figures: Sequence[Figures]) -> tuple[tuple[DayChart, ...], int]:
    """Return the charts, and how many placements have no line in the first."""
    by_day = {(one.day, one.placement): one for one in figures}

    def series(placement: str, value: Callable[[Figures], float | None]) -> list[float | None]:
        return [None if (one := by_day.get((day, placement))) is None else value(one) for day in days]

    shown: dict[str, int] = {}
    for one in figures:
        if one.placement != ALL:
            shown[one.placement] = shown.get(one.placement, 0) + one.impressions
    largest = sorted(shown, key=lambda name: (-shown[name], name))
    charts = (
        day_charts.lines(
            "Click-through rate by placement",
            days,
            {
                name: series(name, lambda one: _share(one.clicked, one.impressions))
                for name in largest[: day_charts.MOST_LINES]
            },
            unit="%",
        ),
        day_charts.lines(
            "Places filled by rules, and with new items",
            days,
            {
                "rules": series(ALL, lambda one: _share(one.by_rule, one.impressions)),
                "new items": series(ALL, lambda one: _share(one.of_new_items, one.impressions)),
            },
            unit="%",
        ),
        day_charts.lines(
            "Catalogue shown within 7 days",
            days,
            {"coverage": series(ALL, lambda one: _share(one.items_in_week or 0, one.catalogue or 0))},
            unit="%",
        ),
        day_charts.lines("Events a minute", days, {"events": series(ALL, _a_minute)}),
    )
    return charts, max(len(largest) - day_charts.MOST_LINES, 0)


def _steps() -> tuple[Step, ...]:
    return (
        Step(
            text="Fill the catalogue",
            how="Import a file on the page of the items, or run manage.py import_dataset.",
            done=catalog.queries.has_items(),
        ),
        Step(
            text="Send what people do",
            how="POST /api/v1/events with a key of the scope events.",
            done=interactions.queries.has_events(),
        ),
        Step(
            text="Build a model",
            how="Beat does so every six hours; manage.py rebuild_models does it now.",
            done=publishing.pointer() is not None,
        ),
        Step(
            text="Show a carousel",
            how="Ask the API for recommendations, or put a tag into a template. "
            "The figures appear within ten minutes, while a worker and beat run.",
            done=False,
        ),
    )


def _a_minute(one: Figures) -> float:
    start = datetime(one.day.year, one.day.month, one.day.day, tzinfo=UTC)
    minutes = (min(one.counted_at, start + timedelta(days=1)) - start).total_seconds() / 60
    return (one.events or 0) / max(minutes, 1.0)


def _rate(one: Figures) -> str:
    rate = _a_minute(one)
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _percent(part: int, whole: int) -> str:
    share = _share(part, whole)
    return "–" if share is None else f"{share:.1f} %"
