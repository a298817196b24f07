"""The contracts of the five kinds of stage. What a stage may *not* do is part of each contract.

A stage is made once from a recipe's options and then called by many threads: it keeps nothing between calls.
Work worth keeping within one request goes into `query.scratch`, under the stage's own name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.contracts import Candidates, Query


class Stage(ABC):
    """Base of all: a name for recipes, traces and metrics."""

    name: ClassVar[str]

    def enabled(self, query: Query) -> bool:
        """Return False to be left out of this request."""
        return True


class Source(Stage):
    """Proposes items and scores any item. Fails open: without it the others answer."""

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

    def prime(self, reduced: Query, query: Query, place: int) -> None:
        """Put into the scratch of `reduced`, which is `query` without the history item at `place`, what still holds."""


class Filter(Stage):
    """Says what must not be shown. Fails closed: the fallback recipe answers."""

    @abstractmethod
    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        """Return (n,) bool, False where the candidate must go. May not reorder."""


class Scorer(Stage):
    """Gives each candidate its score. Fails open."""

    @abstractmethod
    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        """Return (n,) float32 in 0..1, in the candidates' order. May not drop; non-finite scores rank last."""


class Reranker(Stage):
    """Reorders a scored list, best first. May drop; only business rules may add."""

    @abstractmethod
    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """Return the candidates in their new order, with the scores that order follows."""
