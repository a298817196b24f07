"""What travels between the stages of a request. Structs of arrays, frozen where a stage may not write.

Rows are rows of the `catalog.snapshot.Catalogue` of the request, never primary keys or external ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import Catalogue, ItemCard
from interactions.explored_contexts import Counts
from interactions.popularity import Trending
from interactions.preferences import NONE, Preferences
from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.pipeline.model_view import ModelView
from recommender.rules.compile import CompiledRules

RECENCY_FLOOR = 0.1
"""What is left of a history item's weight however old it is."""
LONGEST_FADING = 1024
"""Items of a history up to which its fading is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A user's recent items, newest first, each item once."""

    rows: RowArray
    """(n,) rows of the items."""
    weights: FloatArray
    """(n,) positive: the event type's training weight, before any recency weighting."""
    occurred_at: NDArray[np.float64]
    """(n,) POSIX seconds of the item's newest event."""
    seen: RowArray
    """(m,) rows that must not be recommended again, ascending."""
    named: int = 0
    """How many of the rows, the last ones, he has only named as his taste; their `occurred_at` is 0."""

    @staticmethod
    def empty() -> History:
        """Return the history of somebody nothing is known of."""
        nothing = np.empty(0, dtype=np.int64)
        return History(rows=nothing, weights=np.empty(0, np.float32), occurred_at=np.empty(0, np.float64), seen=nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request, hydrated: all that a stage may know."""

    user_id: str
    limit: int
    """Items to return, 1..100."""
    now: float
    """POSIX seconds."""
    asked_at: float | None = None
    """POSIX seconds of a past moment that is being re-enacted (training, evaluation): what is popular then counts,
    though the catalogue is today's. None: now."""
    catalogue: Catalogue
    model: ModelView | None
    """The model version in use, or None when there is none."""
    history: History
    placement: str = ""
    country: str = ""
    preferences: Preferences = NONE
    """What he says he likes. Items among it are in the history already."""
    category: str = ""
    """What a list of one category is of; "" of any other list."""
    seed: int | None = None
    """Row of the item the list is about ("similar to …", "because you watched …")."""
    seed_is_from_history: bool = False
    """True for "because you watched …" (then a missing `seed` means that the history has none), False for "similar
    to …"."""
    exclude: RowArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rules: CompiledRules | None = None
    """The editors' rules for this user, placement and moment; None when business rules are off."""
    trending: Trending | None = None
    """What is taken most lately; None where only the model and the catalogue may say so."""
    diversity: float | None = None
    """The placement's trade-off between relevance (0) and variety (1); None leaves it to the recipe."""
    freshness: float | None = None
    """What the placement lets an old item lose of its score, 0..1; None leaves it to the recipe."""
    weights: tuple[tuple[str, float], ...] = ()
    """(source, weight) that count instead of the recipe's own (`recipes.get`)."""
    search_effort: float = 1.0
    """How far approximate indexes look, as a multiple of what they are configured to."""
    explored: Mapping[int, int] | None = None
    """Item primary key → times that exploration has shown it lately; None when nothing is to be explored."""
    taken: Mapping[int, int] = field(default_factory=dict)
    """Item primary key → of those times, how often it was taken from there."""
    explored_contexts: Counts = field(default_factory=dict)
    """The same by context, for a policy that goes by it."""
    scratch: dict[str, Any] = field(default_factory=dict)
    """Work that a stage keeps for a later call of its own within this request."""

    @property
    def basis(self) -> RowArray:
        """Rows the list is derived from: the seed when there is one, else the history, newest first."""
        return self.history.rows if self.seed is None else np.array([self.seed], dtype=np.int64)

    def basis_weights(self, half_life: float | None, floor: float = RECENCY_FLOOR) -> FloatArray:
        """Return the weight of each item of `basis`, newer ones more.

        The k-th newest counts its event weight × (0.5^(k / half_life) + floor); `half_life` is in events, None
        means no recency. A seed counts 1.
        """
        if self.seed is not None:
            return np.ones(1, dtype=np.float32)
        return self.history.weights * recency(len(self.history.rows), half_life, floor)

    def basis_weights_without(
        self, places: Sequence[int], half_life: float | None, floor: float = RECENCY_FLOOR
    ) -> FloatArray:
        """Return (len(places), basis) `basis_weights` as if the item at each place had never been: 0 there, and what is
        older counts as one newer. A seed counts 1 whatever the history."""
        if self.seed is not None:
            return np.ones((len(places), 1), dtype=np.float32)
        fades = recency(len(self.history.rows), half_life, floor)
        one_newer = np.concatenate([fades[:1], fades[:-1]])
        missing = np.asarray(places)[:, None]
        positions = np.arange(len(fades))
        kept = np.where(positions < missing, fades, one_newer) * self.history.weights
        return np.where(positions == missing, np.float32(0), kept)


def recency(n: int, half_life: float | None, floor: float) -> FloatArray:
    """Return (n,) float32, what is left of the weight of the k-th newest event: 0.5^(k / half_life) + floor, or 1."""
    if half_life is None:
        return np.ones(n, dtype=np.float32)
    return _fading(half_life, floor)[:n] if n <= LONGEST_FADING else _faded(n, half_life, floor)


@lru_cache(maxsize=64)
def _fading(half_life: float, floor: float) -> FloatArray:
    fading = _faded(LONGEST_FADING, half_life, floor)
    fading.flags.writeable = False
    return fading


def _faded(n: int, half_life: float, floor: float) -> FloatArray:
    return (0.5 ** (np.arange(n, dtype=np.float32) / half_life) + floor).astype(np.float32)


@dataclass(slots=True, kw_only=True)
class Candidates:
    """The items still in the running. Every array has one entry a candidate, in the current order."""

    rows: RowArray
    """(n,) distinct rows."""
    source_scores: dict[str, FloatArray]
    """Source name → (n,) its raw score; nan where the source does not know the item."""
    score: FloatArray
    """(n,) final score, higher is better; nan before scoring."""
    pinned: BoolArray
    """(n,) True where an editor's rule put the item at its position."""

    @classmethod
    def of(cls, rows: RowArray) -> Candidates:
        """Return unscored candidates of `rows`."""
        return cls(
            rows=rows,
            source_scores={},
            score=np.full(len(rows), np.nan, dtype=np.float32),
            pinned=np.zeros(len(rows), dtype=bool),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: RowArray | BoolArray) -> Candidates:
        """Return the candidates at `positions` (or where the mask is True), in that order."""
        return Candidates(
            rows=self.rows[positions],
            source_scores={name: scores[positions] for name, scores in self.source_scores.items()},
            score=self.score[positions],
            pinned=self.pinned[positions],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """One item of an answer."""

    item_id: str
    score: float
    """0..1, comparable within one list only."""
    reason: str
    """Sentence for people; true to the score (names the history item that contributed most)."""
    source: str
    """Name of the source that contributed most, "rule" or "exploration"."""
    card: ItemCard
    propensity: float = 1.0
    """Probability with which an item of its kind stands at this position (`rerankers.exploration`)."""
    rule: int | None = None
    """Key of the editors' rule that put it there; None: its score did."""
    presentation: int | None = None
    """Under which title and picture the card shows it: a primary key, 0 for its own; None where it has but its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationList:
    """One carousel."""

    request_id: UUID
    placement: str
    recipe: str
    title: str
    items: tuple[Recommendation, ...]
    model_version: str
    """Name of the version that scored the list; "" when none could be used."""
    user_id: str = ""
    """Whose it is; "" for nobody in particular."""
    is_recorded: bool = False
    """Whether what he does with it may be recorded."""
    experiment_id: str = ""
    variant: str = ""
    fallback: bool = False
    """True when the popular list answered instead of the recipe asked for."""
    fallback_reason: str = ""
    """"unknown_user", "no_history", "no_model", "backend_failed", "no_candidates" or ""."""
    seed_item_id: str = ""
    dedupe_group: str = ""
    """Of its placement: the page repeats no item among lists of the same one."""
    trace: Mapping[str, Any] | None = None
    """Stages with counts, removals and milliseconds, when asked for."""
    rendered: dict[bool, Any] = field(default_factory=dict, compare=False, repr=False)
    """The items as the API has written them, with (True) and without their cards: a list that is shown again shares
    them."""
