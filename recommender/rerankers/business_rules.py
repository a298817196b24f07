"""What editors want, applied last: who may not stand in the list, whose score counts more, and who stands where."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from recommender.arrays import BoolArray, RowArray, contains
from recommender.contracts import Candidates, Query
from recommender.pipeline.stages import Reranker
from recommender.rules.compile import CompiledRules, Promoted
from recommender.rules.placing import Pin, Promotion, place, rows_of

PLACED_BY = "placed by rule"
"""Where `Query.scratch` keeps which rule put a row into the list."""


class BusinessRules(Reranker):
    """The one stage that may add items: what a rule places need not have been a candidate.

    A pin shows even what the user has seen (it is meant to be seen), a promotion does not; neither ever shows what is
    hidden, unavailable, excluded by the request or shown in an earlier carousel of the page. Whose place it is when
    rules disagree is said in `rules.placing`.
    """

    name = "business_rules"
    sees_the_whole = True

    def enabled(self, query: Query) -> bool:
        return query.rules is not None

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        rules = query.rules
        assert rules is not None  # noqa: S101 -- `enabled` said so
        candidates = _multiplied(_without_kept_out(query, candidates, rules), rules)
        if not (rules.pins or rules.soft_pins or rules.promotions or rules.caps):
            return candidates
        placed = place(
            candidates.rows,
            query.limit,
            pins=_standing(rules.pins, query, rules),
            soft_pins=_standing(rules.soft_pins, query, rules),
            promotions=[
                Promotion(
                    rule=one.rule,
                    places=one.places(query.limit),
                    rows=islice(_promoted(one, query, candidates, rules), 2 * query.limit),
                )
                for one in rules.promotions
            ],
            caps=rules.caps,
            organic_share=rules.organic_share,
        )
        query.scratch[PLACED_BY] = {one.row: one.rule for one in placed if one.rule is not None}
        by_rule = np.array([one.rule is not None for one in placed], dtype=bool)
        arranged = _arranged(candidates, rows_of(placed), by_rule)
        # What a cap leaves over must not fill the list up again.
        return arranged.take(np.arange(len(placed))) if rules.caps else arranged


def _without_kept_out(query: Query, candidates: Candidates, rules: CompiledRules) -> Candidates:
    stays = rules.admits(candidates.rows)
    if query.seed is not None:
        for values, same in rules.like_seed:
            of_seed = set(values(query.seed))
            if of_seed:
                shares = [not of_seed.isdisjoint(values(row)) for row in candidates.rows.tolist()]
                stays &= np.array(shares, dtype=bool) == same
    return candidates if stays.all() else candidates.take(stays)


def _multiplied(candidates: Candidates, rules: CompiledRules) -> Candidates:
    if rules.multiplier is None:
        return candidates
    score = candidates.score * rules.multiplier[candidates.rows]
    order = np.argsort(-np.where(np.isfinite(score), score, -np.inf), kind="stable")
    candidates.score = score.astype(np.float32)
    return candidates.take(order)


def _may_stand(rows: RowArray, query: Query, rules: CompiledRules) -> RowArray:
    """Return those of `rows` that a rule may place."""
    may_stand = query.catalogue.available(query.now)[rows]
    if rules.hidden is not None:
        may_stand &= ~rules.hidden[rows]
    may_stand &= ~contains(np.sort(query.exclude), rows)
    if query.seed is not None:
        may_stand &= rows != query.seed
    return rows[may_stand]


def _standing(pins: tuple[Pin, ...], query: Query, rules: CompiledRules) -> list[Pin]:
    rows = np.array([pin.row for pin in pins], dtype=np.int64)
    standing = set(_may_stand(rows, query, rules).tolist())
    return [pin for pin in pins if pin.row in standing]


def _promoted(one: Promoted, query: Query, candidates: Candidates, rules: CompiledRules) -> Iterator[int]:
    """Yield the rows that a promotion offers: in the editor's order, else by score and then by popularity."""

    def offered(rows: RowArray) -> Iterator[int]:
        rows = _may_stand(rows, query, rules)
        yield from rows[~contains(query.history.seen, rows)].tolist()

    if one.in_order:
        yield from offered(one.rows)
        return
    yield from offered(candidates.rows[contains(one.rows, candidates.rows)])
    others = one.rows[~np.isin(one.rows, candidates.rows)]
    yield from offered(others[np.argsort(-query.catalogue.popularity[others], kind="stable")])


def _arranged(candidates: Candidates, rows: RowArray, by_rule: BoolArray) -> Candidates:
    """Return the list that was placed, and behind it the candidates that it leaves over."""
    added = rows[~contains(np.sort(candidates.rows), rows)]
    together = Candidates(
        rows=np.concatenate([candidates.rows, added]),
        source_scores={
            name: np.concatenate([scores, np.full(len(added), np.nan, dtype=np.float32)])
            for name, scores in candidates.source_scores.items()
        },
        score=np.concatenate([candidates.score, np.ones(len(added), dtype=np.float32)]),
        pinned=np.zeros(len(candidates) + len(added), dtype=bool),
    )
    ascending = np.argsort(together.rows)
    placed = ascending[np.searchsorted(together.rows[ascending], rows)]
    rest = np.ones(len(together), dtype=bool)
    rest[placed] = False
    arranged = together.take(np.concatenate([placed, np.flatnonzero(rest)]))
    arranged.pinned[: len(rows)] = by_rule
    arranged.score[: len(rows)][by_rule] = 1
    return arranged
