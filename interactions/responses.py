"""How a simulated audience answers what it is shown: the model behind the demo's visitors, the load that servers are
measured under, and the checks of experiments, bandits and estimates.

1. Every person and every item has a place in a space of tastes; what suits a person is their inner product. An item
   has a quality of its own that suits everybody, and some people take more of anything, and come more often.
2. A person reads a list from the top: how probably he looks at a place falls with its number (`examination`), and what
   he does not look at he cannot choose, however well it suits him.
3. What he looks at he chooses with a logistic probability of how it suits him.
4. An item he has been shown before without choosing it suits him less each time (`fatigue`).
5. Tastes drift a little every day, and people and items arrive (`pass_day`).

Everything follows from the seed. Units are logits where nothing else is said. `among` gives the people of `simulation`,
who have a history in a real catalogue, such places by what they have taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue
from interactions.taste import item_features

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
RowArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperament:
    """What an audience is like."""

    dimensions: int = 8
    """Of the space of tastes."""
    position_bias: float = 1.0
    """The k-th place (1 is first) is looked at with the probability k^-bias; 0 reads everything."""
    inclination: float = -2.5
    """Of choosing an item that suits a person neither well nor badly: 0.076 as a probability."""
    openness: float = 0.7
    """Standard deviation, over people, of that inclination: some take much of what they see, some hardly anything."""
    sessions: float = 6.0
    """Lists that half of the people see more of in a season, and half less."""
    activity: float = 1.2
    """Standard deviation of the logarithm of how many: few people come very often."""
    taste: float = 1.0
    """Standard deviation, over items, of how they suit one person."""
    quality: float = 0.5
    """Standard deviation, over items, of what suits everybody."""
    fatigue: float = 0.3
    """Taken off each time it was shown in vain."""
    drift: float = 0.02
    """Share of a person's taste that is new each day."""
    new_people: float = 0.01
    """Arriving a day, as a share of those who are there."""
    new_items: float = 0.002


class Audience:
    """People and items, and what people have been shown in vain.

    Parameters
    ----------
    people, items
        How many there are at first; more arrive by `pass_day`, numbered on.
    """

    def __init__(self, people: int, items: int, *, seed: int, temperament: Temperament | None = None) -> None:
        self.temperament = temperament or Temperament()
        self._random = np.random.default_rng(seed)
        self.tastes = self._places(people)
        """(people, dimensions)"""
        self.inclinations = self._inclinations(people)
        """(people,)"""
        self.traits = self._places(items)
        """(items, dimensions)"""
        self.qualities = self._random.normal(0.0, self.temperament.quality, items)
        """(items,)"""
        self._in_vain: dict[tuple[int, int], int] = {}

    @classmethod
    def among(
        cls, catalogue: Catalogue, taken: Sequence[RowArray], *, seed: int, temperament: Temperament | None = None
    ) -> Audience:
        """Return the people who have taken these rows of a catalogue, one entry a person.

        Items that have much in common (`taste.item_features`) lie close together, and a person amid what he took: their
        directions of largest variance, by principal components. What many took has a high quality.
        """
        audience = cls(len(taken), len(catalogue), seed=seed, temperament=temperament)
        manner = audience.temperament
        features = item_features(catalogue)
        values, vectors = np.linalg.eigh(_centered(features) @ _centered(features).T)
        largest = np.argsort(-values)[: manner.dimensions]
        lengths = np.sqrt(np.maximum(values[largest], 0.0))
        # As far apart as places that are drawn; where items differ in fewer ways, the other directions are empty.
        audience.traits = np.zeros_like(audience.traits)
        spread = manner.dimensions**0.25 * np.sqrt(len(catalogue)) / max(float(np.linalg.norm(lengths)), 1e-9)
        audience.traits[:, : len(largest)] = vectors[:, largest] * lengths * spread
        for person, rows in enumerate(taken):
            amid = audience.traits[rows].mean(axis=0) if len(rows) else audience.tastes[person]
            # How strong tastes are is the temperament's.
            audience.tastes[person] = amid / max(float((audience.traits @ amid).std()), 1e-9)
        takers = np.log1p(np.bincount(np.concatenate([*taken, np.empty(0, int)]).astype(int), minlength=len(catalogue)))
        audience.qualities = manner.quality * (takers - takers.mean()) / max(float(takers.std()), 1e-9)
        return audience

    def suits(self, person: int, rows: RowArray) -> FloatArray:
        """Return (len(rows),) how the items suit a person, without what he is tired of."""
        close = self.traits[rows] @ self.tastes[person] * self.temperament.taste
        found: FloatArray = self.inclinations[person] + close + self.qualities[rows]
        return found

    def chances(self, person: int, rows: RowArray) -> FloatArray:
        """Return (len(rows),) the probability that he chooses each item of a list, first place first."""
        tired = np.array([self._in_vain.get((person, row), 0) for row in rows.tolist()])
        wanted = self.suits(person, rows) - self.temperament.fatigue * tired
        found: FloatArray = examination(len(rows), self.temperament.position_bias) / (1 + np.exp(-wanted))
        return found

    def respond(self, person: int, rows: RowArray) -> BoolArray:
        """Show him a list and return (len(rows),) what he chooses; he remembers what he did not."""
        chosen: BoolArray = self._random.random(len(rows)) < self.chances(person, rows)
        for row in rows[~chosen].tolist():
            self._in_vain[person, row] = self._in_vain.get((person, row), 0) + 1
        for row in rows[chosen].tolist():
            self._in_vain.pop((person, row), None)
        return chosen

    def sessions(self) -> RowArray:
        """Return (people,) how many lists each person sees in a season, 1 to 200, drawn anew each time."""
        manner = self.temperament
        drawn = self._random.lognormal(np.log(manner.sessions), manner.activity, len(self.tastes))
        return np.clip(drawn, 1, 200).astype(np.int64)

    def visitors(self, n: int) -> RowArray:
        """Return (n,) who comes, one visit after the other: each as often as his `sessions` are many."""
        sessions = self.sessions()
        return self._random.choice(len(sessions), size=n, p=sessions / sessions.sum())

    def pass_day(self) -> None:
        """Let tastes drift, and people and items arrive."""
        manner = self.temperament
        news = self._places(len(self.tastes))
        # Weighted so that tastes stay as strong as they were.
        self.tastes = np.sqrt(1 - manner.drift) * self.tastes + np.sqrt(manner.drift) * news
        people = self._random.binomial(len(self.tastes), manner.new_people)
        items = self._random.binomial(len(self.traits), manner.new_items)
        self.tastes = np.concatenate([self.tastes, self._places(people)])
        self.inclinations = np.concatenate([self.inclinations, self._inclinations(people)])
        self.traits = np.concatenate([self.traits, self._places(items)])
        self.qualities = np.concatenate([self.qualities, self._random.normal(0.0, manner.quality, items)])

    def _inclinations(self, people: int) -> FloatArray:
        drawn: FloatArray = self._random.normal(self.temperament.inclination, self.temperament.openness, people)
        return drawn

    def _places(self, count: int) -> FloatArray:
        """Return places whose inner products have a standard deviation of 1."""
        scale = self.temperament.dimensions**-0.25
        places: FloatArray = self._random.normal(0.0, scale, (count, self.temperament.dimensions))
        return places


def _centered(features: FloatArray) -> FloatArray:
    centered: FloatArray = features - features.mean(axis=0)
    return centered


def examination(places: int, bias: float) -> FloatArray:
    """Return (places,) the probability that each place of a list is looked at: k^-bias (Craswell et al., 2008)."""
    looked_at: FloatArray = np.arange(1, places + 1, dtype=np.float64) ** -bias
    return looked_at
