"""The contracts of the five kinds of stage. What a stage may *not* do is part of each contract.

A stage is made once from a recipe's options and then called by many threads: it keeps nothing between calls.
Work worth keeping within one request goes into `query.scratch`, under the stage's own name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.contracts import Candidates, Query


@dataclass(frozen=True, slots=True)
class Without:
    """A request as it would have been without one item of its history."""

    query: Query
    place: int
    """Where the item stood in the history."""


class Stage(ABC):
    """Base of all: a name for recipes, traces and metrics."""

    name: ClassVar[str]

    def enabled(self, query: Query) -> bool:
        """Return False to be left out of this request."""
        return True


class Source(Stage):
    """Proposes items and scores any item. Fails open: without it the others answer."""

    reads_history: ClassVar[bool] = True
    """False when no score depends on the history: then none is computed again without an item of it."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Have a subclass that scores in its own way asked in full, unless it says how else."""
        super().__init_subclass__(**options)
        own = vars(cls)
        if not {"score", "columns"}.isdisjoint(own):
            cls.reads_history = own.get("reads_history", True)
            cls.columns_without = own.get("columns_without", Source.columns_without)  # type: ignore[method-assign]

    @abstractmethod
    def retrieve(self, query: Query, n: int) -> RowArray:
        """Return at most `n` distinct catalogue rows, best first; seen or hidden ones too, filters drop them."""

    @abstractmethod
    def score(self, query: Query, rows: RowArray) -> FloatArray:
        """Return (len(rows),) float32 raw scores, higher is better, nan where the source does not know the item."""

    def columns(self, query: Query, rows: RowArray) -> dict[str, FloatArray]:
        """Return `score` under the source's name, and what else the learned ranker may read, as "name.label"."""
        return {self.name: self.score(query, rows)}

    def contributions(self, query: Query, rows: RowArray) -> FloatArray | None:
        """Return (len(query.basis), len(rows)): what each item of the basis adds to each score.

        Columns sum to `score` for a source that is linear in the history; None for one that has no such parts.
        """
        return None

    def contributions_to(self, column: str, query: Query, rows: RowArray) -> FloatArray | None:
        """Return the same for one of `columns`; None for one that has no such parts."""
        return self.contributions(query, rows) if column == self.name else None

    def columns_without(self, query: Query, rows: RowArray, reduced: Sequence[Without]) -> list[dict[str, FloatArray]]:
        """Return `columns` of the same rows for each of `reduced`, which are `query` without one item each.

        They are asked for together because most of the work is the same for all: a source may do it once.
        """
        if not self.reads_history:
            return [self.columns(query, rows)] * len(reduced)
        return [self.columns(one.query, rows) for one in reduced]


class Filter(Stage):
    """Says what must not be shown. Fails closed: the fallback recipe answers."""

    @abstractmethod
    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        """Return (n,) bool, False where the candidate must go. May not reorder."""


class Scorer(Stage):
    """Gives each candidate its score. Fails open."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Have a subclass that scores in its own way asked in full, unless it says how else."""
        super().__init_subclass__(**options)
        if "score" in vars(cls):
            cls.scores_without = vars(cls).get("scores_without", Scorer.scores_without)  # type: ignore[method-assign]

    @abstractmethod
    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        """Return (n,) float32 in 0..1, in the candidates' order. May not drop; non-finite scores rank last."""

    def scores_without(
        self, reduced: Sequence[Without], candidates: Sequence[Candidates], shown: RowArray
    ) -> list[FloatArray]:
        """Return `score` for each of `reduced`, one request without one item each, of its candidates.

        The rows are the same in all of `candidates`, in the same order; what the sources say of them differs. Looked at
        are in the end only the positions `shown`: of the others a scorer may leave out what costs it most.
        """
        return [self.score(one.query, scored) for one, scored in zip(reduced, candidates, strict=True)]


class Reranker(Stage):
    """Reorders a scored list, best first. May drop; only business rules may add."""

    sees_the_whole: ClassVar[bool] = False
    """True for the editors' rules: they, and what follows them, see a short list with what fills it up."""

    @abstractmethod
    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """Return the candidates in their new order, with the scores that order follows."""
