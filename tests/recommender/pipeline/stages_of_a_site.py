"""Stages as a site might bring its own, named in recipes by their dotted path."""

from __future__ import annotations

import numpy as np

from recommender.arrays import BoolArray, FloatArray, RowArray
from recommender.contracts import Candidates, Query
from recommender.exceptions import BackendError
from recommender.pipeline.stages import Filter, Reranker, Scorer, Source


class Fixed(Source):
    """Proposes and scores what it was told to."""

    name = "fixed"

    def __init__(self, rows: list[int], scores: list[float] | None = None) -> None:
        self.rows = rows
        self.scores = scores or [float(-number) for number in range(len(rows))]

    def retrieve(self, query: Query, n: int) -> RowArray:
        return np.array(self.rows, dtype=np.int64)[:n]

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        by_row = dict(zip(self.rows, self.scores, strict=True))
        return np.array([by_row.get(int(row), np.nan) for row in rows], dtype=np.float32)


class Other(Fixed):
    name = "other"


class Broken(Source):
    """Fails as a backend does, or as wrong code does."""

    name = "broken"

    def __init__(self, kind: str = "backend") -> None:
        if kind not in ("backend", "code"):
            raise ValueError(f"kind is {kind!r}")
        self.error: Exception = BackendError("the index is away") if kind == "backend" else ZeroDivisionError("wrong")

    def retrieve(self, query: Query, n: int) -> RowArray:
        raise self.error

    def score(self, query: Query, rows: RowArray) -> FloatArray:
        raise self.error


class BrokenFilter(Filter):
    name = "broken_filter"

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        raise ConnectionResetError("gone")


class BrokenScorer(Scorer):
    name = "broken_scorer"

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        raise BackendError("no ranker")


class BrokenReranker(Reranker):
    name = "broken_reranker"

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        raise BackendError("no rules")


class FirstScore(Scorer):
    """Takes the first source's scores as they are, nan and all."""

    name = "first_score"

    def score(self, query: Query, candidates: Candidates) -> FloatArray:
        return next(iter(candidates.source_scores.values()))


class Idle(Filter):
    """Never takes part."""

    name = "idle"

    def enabled(self, query: Query) -> bool:
        return False

    def keep(self, query: Query, candidates: Candidates) -> BoolArray:
        raise AssertionError("asked although not enabled")
