"""The page "Exploration": what bandits have learned of new items, and of items' titles and pictures.

A bandit looks at its results while it chooses. Its arms are no samples of fixed size, so nothing here is a test: each
rate has the credible interval of Beta(1 + taken, 1 + shown - taken), which says what may still be believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter

import numpy as np

from catalog.presentations import OWN
from experiments.bandits import Beliefs
from interactions import explored, presented
from interactions.presented import Presented
from recommender.carousel import checked_url

MOST = 20
"""Items, of either kind."""
WIDTH, HEIGHT = 160, 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One item."""

    item_pk: int
    title: str
    shown: int
    taken: int
    mean: str
    interval: str
    chance: str
    """To be the one that is taken most."""
    line: str
    band: str
    """Points of the mean and round the intervals, over the days, in SVG units; "" on the first day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleArm:
    """One title and picture."""

    title: str
    image_url: str
    """Checked; "" where there is none."""
    is_own: bool
    is_active: bool
    shown: int
    taken: int
    mean: str
    interval: str
    chance: str
    """To be the one of its item that is taken most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Titles:
    """One item's."""

    item_pk: int
    title: str
    arms: tuple[TitleArm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints; the items that are believed to be taken most come first."""

    arms: tuple[Arm, ...]
    titles: tuple[Titles, ...]
    """Of the items that are shown most under several, those first."""
    days: int
    first: date | None
    last: date | None
    top: str
    """The rate that the drawings' upper edge stands for; the lower is 0."""
    width: int = WIDTH
    height: int = HEIGHT


def page() -> Page:
    """Return what is known now (two queries)."""
    rows, of_titles = explored.by_day(MOST), _of_titles(presented.by_item(MOST))
    if not rows:
        return Page(arms=(), titles=of_titles, days=explored.WINDOW_DAYS, first=None, last=None, top="")
    titles = {row.item_pk: row.title for row in rows}
    days = sorted({row.day for row in rows})
    shown, taken = np.zeros((len(titles), len(days))), np.zeros((len(titles), len(days)))
    place: Mapping[int, int] = {pk: at for at, pk in enumerate(titles)}
    for row in rows:
        shown[place[row.item_pk], days.index(row.day)] = row.shown
        taken[place[row.item_pk], days.index(row.day)] = row.taken
    shown, taken = shown.cumsum(axis=1), taken.cumsum(axis=1)
    over_time = Beliefs(taken, shown - taken)
    means, (low, high) = over_time.means(), over_time.interval()
    chances = Beliefs(taken[:, -1], (shown - taken)[:, -1]).chances_to_be_best()
    # The first days' intervals, which reach nearly to 1, would flatten all others.
    top = float(high[:, -1].max())
    arms = [
        Arm(
            item_pk=pk,
            title=title,
            shown=int(shown[at, -1]),
            taken=int(taken[at, -1]),
            mean=f"{means[at, -1]:.1%}",
            interval=f"{low[at, -1]:.1%} to {high[at, -1]:.1%}",
            chance=f"{chances[at]:.0%}",
            line=_points(days, means[at].tolist(), top),
            band=" ".join(filter(None, (_points(days, high[at].tolist(), top), _back(days, low[at].tolist(), top)))),
        )
        for at, (pk, title) in enumerate(titles.items())
    ]
    order = np.argsort(-means[:, -1], kind="stable").tolist()
    return Page(
        arms=tuple(arms[at] for at in order),
        titles=of_titles,
        days=explored.WINDOW_DAYS,
        first=days[0],
        last=days[-1],
        top=f"{top:.1%}",
    )


def _of_titles(rows: Sequence[Presented]) -> tuple[Titles, ...]:
    """Return what is believed of titles and pictures, item by item."""
    found = []
    for item_pk, group in groupby(rows, key=attrgetter("item_pk")):
        of_item = list(group)
        taken, shown = np.array([(one.taken, one.shown) for one in of_item], dtype=np.float64).T
        beliefs = Beliefs(taken, shown - taken)
        figures = zip(beliefs.means(), *beliefs.interval(), beliefs.chances_to_be_best(), strict=True)
        arms = tuple(
            TitleArm(
                title=one.title,
                image_url=checked_url(one.image_url),
                is_own=one.presentation == OWN,
                is_active=one.is_active,
                shown=one.shown,
                taken=one.taken,
                mean=f"{mean:.1%}",
                interval=f"{low:.1%} to {high:.1%}",
                chance=f"{chance:.0%}",
            )
            for one, (mean, low, high, chance) in zip(of_item, figures, strict=True)
        )
        found.append(Titles(item_pk=item_pk, title=of_item[0].item_title, arms=arms))
    return tuple(found)


def _points(days: Sequence[date], values: Sequence[float], top: float) -> str:
    span = (days[-1] - days[0]).days
    if not span:
        return ""
    return " ".join(
        f"{(day - days[0]).days / span * WIDTH:.1f},{(1 - min(value / top, 1)) * HEIGHT:.1f}"
        for day, value in zip(days, values, strict=True)
    )


def _back(days: Sequence[date], values: Sequence[float], top: float) -> str:
    return " ".join(reversed(_points(days, values, top).split()))
