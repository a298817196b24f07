"""A simulated audience: people whose tastes follow the catalogue, so that a demo's lists can be judged by eye.

1. `taste.Tastes` turns items into features (category, tags, creators, country, decade) and draws a few personas.
2. A person mixes one to three personas and takes a handful of favourites from them, each with its season in the year;
   he has quirks of his own and a weakness for his country's films.
3. In each session he is in the mood for one of the favourites: what is like it, well-known or the next part of a series
   he has begun is what he opens; a film he likes may set the mood for the next.
4. Opening is a `view`, most views lead to a `watch`, half of those to a `rating` as high as the film suits him.

That is what people did before there were lists. How they answer lists is `responses`.

Everything but the dates depends on the seed alone, person by person; the dates end at `until`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from interactions.datasets.fields import EventRow
from interactions.identity import microseconds_since_epoch
from interactions.series import preceding_parts
from interactions.staging import StoredCounts, staging
from interactions.taste import Tastes

DAYS = 365
LEAST_ITEMS, MOST_ITEMS = 10, 5_000
"""Below there is nothing to have a taste in; above, the items' likeness to each other does not fit in memory."""
COUNTRIES = {"US": 0.33, "GB": 0.14, "DE": 0.11, "FR": 0.11, "IN": 0.08, "JP": 0.07, "CA": 0.06, "AU": 0.05, "IT": 0.05}
MEDIAN_SESSIONS = 23
"""Half of the people come less often; a session has one to three films."""
ITEMS_A_SESSION = 8
"""Nobody has more sessions than the catalogue has items over this: who has seen everything shows no taste."""

# Utilities, in logits. Chosen by eye: with less likeness, fame drowns taste; with more, nobody leaves his niche.
_LIKENESS = 1.7
_FAME = 0.4
_QUIRK = 0.4
_OWN_COUNTRY = 0.4
_NEXT_PART = 3.0
_LATER_PART = -3.0

_SEASON = 0.35
"""Standard deviation of a favourite's season, in years."""
_HOURS = np.array([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 6, 9, 13, 15, 14, 9, 4], dtype=np.float64)
"""How likely a session begins in each hour of the day (UTC)."""


@dataclass(frozen=True, slots=True)
class SimulatedEvent:
    """One thing a simulated person did. `row` is the item's in the catalogue, the time is before the anchor."""

    row: int
    kind: str
    before_seconds: int
    value: float | None = None


@dataclass(frozen=True, slots=True)
class SimulatedPerson:
    """One person and what he did, oldest first."""

    user_id: str
    country: str
    events: tuple[SimulatedEvent, ...]


def simulate(catalogue: Catalogue, *, users: int = 400, seed: int = 7) -> Iterator[SimulatedPerson]:
    """Yield the audience. The same catalogue and seed give the same people, however many are asked for.

    Raises
    ------
    ValueError
        When there are no users, or the catalogue has fewer than LEAST_ITEMS or more than MOST_ITEMS.
    """
    if users < 1:
        raise ValueError(f"users must be at least 1, got {users}")
    if not LEAST_ITEMS <= len(catalogue) <= MOST_ITEMS:
        allowed = f"{LEAST_ITEMS} to {MOST_ITEMS:,}"
        raise ValueError(f"the catalogue has {len(catalogue):,} items; an audience can be simulated for {allowed}")
    tastes = Tastes.of(catalogue, np.random.default_rng(seed))
    preceding = preceding_parts(catalogue)
    countries = [card.countries for card in catalogue.cards]
    for number in range(1, users + 1):
        random = np.random.default_rng([seed, number])
        country = str(random.choice(list(COUNTRIES), p=list(COUNTRIES.values())))
        domestic = np.array([country in of_item for of_item in countries])
        events = _Person(tastes, preceding, domestic, random).live()
        yield SimulatedPerson(user_id_of(number), country, tuple(events))


def user_id_of(number: int) -> str:
    """Return the external id of a simulated person; 1 is the first."""
    return f"demo-user-{number:03}"


def store_audience(catalogue: Catalogue, people: Iterable[SimulatedPerson], until: datetime) -> StoredCounts:
    """Store the people and what they did before `until` (aware); again for the same `until` stores nothing new.

    Raises
    ------
    ImportRunning
    """
    countries: dict[str, str] = {}
    anchor = until.replace(microsecond=0)

    def rows() -> Iterator[EventRow]:
        for person in people:
            countries[person.user_id] = person.country
            for event in person.events:
                item_id = catalogue.cards[event.row].item_id
                moment = str(microseconds_since_epoch(anchor - timedelta(seconds=event.before_seconds)))
                value = "" if event.value is None else repr(event.value)
                yield "0", person.user_id, item_id, event.kind, moment, value, "", "", ""

    with staging() as staged:
        staged.copy(rows())
        staged.declare_countries(countries)
        return staged.store()


class _Person:
    """One person's mind, and his diary of the year."""

    def __init__(
        self, tastes: Tastes, preceding: NDArray[np.int64], domestic: NDArray[np.bool_], random: np.random.Generator
    ) -> None:
        self.tastes, self.preceding, self.random = tastes, preceding, random
        items = len(preceding)
        self.appeal = _QUIRK * random.normal(size=items) + _FAME * tastes.fame + _OWN_COUNTRY * domestic
        self.favourites = self._draw_favourites()
        self.seasons = random.uniform(0.0, 1.1, len(self.favourites))
        self.opened = np.zeros(items, dtype=bool)
        self.watched = np.zeros(items, dtype=bool)
        self.events: list[SimulatedEvent] = []

    def _draw_favourites(self) -> NDArray[np.int64]:
        random, personas = self.random, self.tastes.personas
        mixed = random.choice(len(personas), size=random.choice([1, 2, 3], p=[0.55, 0.35, 0.1]), replace=False)
        shares = random.dirichlet(np.full(len(mixed), 2.0))
        rows = []
        for persona in random.choice(mixed, size=random.integers(3, 7), p=shares):
            utility = 1.2 * personas[persona] + self.appeal
            rows.append(int(np.argmax(utility + random.gumbel(size=len(utility)))))
        return np.array(rows, dtype=np.int64)

    def live(self) -> list[SimulatedEvent]:
        """Live through the year; return the events, oldest first."""
        most = min(90, max(2, len(self.opened) // ITEMS_A_SESSION))
        sessions = int(np.clip(self.random.lognormal(np.log(MEDIAN_SESSIONS), 0.6), 2, most))
        shares = np.sort(self.random.beta(1.3, 0.9, sessions))
        # Nearly everybody has a present that lists can be drawn from.
        shares[-1] = max(shares[-1], 1.0 - self.random.exponential(12.0) / DAYS)
        for share in shares:
            days_before = int((1.0 - share) * DAYS)
            seconds = int((23 - self.random.choice(24, p=_HOURS / _HOURS.sum())) * 3600 + self.random.integers(3600))
            self._sit_down(days_before * 86_400 + seconds + 60, share)
        return sorted((event for event in self.events if event.before_seconds > 0), key=_newest_last)

    def _sit_down(self, before: int, share_of_year: float) -> None:
        seasons = np.exp(-0.5 * ((share_of_year - self.seasons) / _SEASON) ** 2) + 0.05
        mood = int(self.random.choice(self.favourites, p=seasons / seasons.sum()))
        for _ in range(1 + self.random.binomial(2, 0.4)):
            row = self._choose(mood)
            if row < 0:
                return
            before, liked = self._enjoy(row, mood, before)
            if liked and self.random.random() < 0.5:
                mood = row

    def _choose(self, mood: int) -> int:
        """Return the item he opens, -1 when he has opened all."""
        if self.opened.all():
            return -1
        later = self.preceding >= 0
        ready = later & self.watched[self.preceding]
        utility = _LIKENESS * self.tastes.likeness[mood] + self.appeal
        utility = utility + np.where(ready, _NEXT_PART, np.where(later, _LATER_PART, 0.0))
        utility[self.opened] = -np.inf
        return int(np.argmax(utility + self.random.gumbel(size=len(utility))))

    def _enjoy(self, row: int, mood: int, before: int) -> tuple[int, bool]:
        """Open an item, perhaps watch and rate it. Returns when that ends, and whether he liked it."""
        random = self.random
        self.opened[row] = True
        self.events.append(SimulatedEvent(row, "view", before))
        suits = float(
            np.clip(0.6 * self.tastes.likeness[mood, row] + self.appeal[row], -2.0, 3.0) + random.normal(0, 0.6)
        )
        before -= int(random.integers(20, 240))
        if random.random() > 0.8 + 0.06 * suits:
            return before, False
        self.watched[row] = True
        self.events.append(SimulatedEvent(row, "watch", before))
        before -= int(random.integers(80, 150)) * 60
        if random.random() < 0.5:
            stars = float(np.clip(np.round(2.0 * (2.9 + 0.6 * suits)) / 2.0, 0.5, 5.0))
            self.events.append(SimulatedEvent(row, "rating", before, stars))
        return before - int(random.integers(60, 600)), suits > 1.0


def _newest_last(event: SimulatedEvent) -> int:
    return -event.before_seconds
