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

    def enabled(self, query: Query) -> bool:
        return query.rules is not None

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        rules = query.rules
        assert rules is not None  # noqa: S101 -- `enabled` said so
        candidates = _multiplied(_without_kept_out(query, candidates, rules), rules)
        if not (rules.pins or rules.soft_pins or rules.promotions or rules.caps):
            return candidates
        may_stand = _may_stand(query, rules)
        placed = place(
            candidates.rows,
            query.limit,
            pins=_standing(rules.pins, may_stand),
            soft_pins=_standing(rules.soft_pins, may_stand),
            promotions=[
                Promotion(
                    rule=one.rule,
                    places=one.places(query.limit),
                    rows=list(islice(_promoted(one, query, candidates, may_stand), 2 * query.limit)),
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
    stays = np.ones(len(candidates), dtype=bool)
    for mask in (rules.hidden, rules.kept_out):
        if mask is not None:
            stays &= ~mask[candidates.rows]
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


def _may_stand(query: Query, rules: CompiledRules) -> BoolArray:
    """Return (items,) which items a rule may place."""
    may_stand = query.catalogue.available(query.now).copy()
    may_stand[query.exclude] = False
    if query.seed is not None:
        may_stand[query.seed] = False
    if rules.hidden is not None:
        may_stand &= ~rules.hidden
    return may_stand


def _standing(pins: tuple[Pin, ...], may_stand: BoolArray) -> list[Pin]:
    return [pin for pin in pins if may_stand[pin.row]]


def _promoted(one: Promoted, query: Query, candidates: Candidates, may_stand: BoolArray) -> Iterator[int]:
    """Yield the rows that a promotion offers: in the editor's order, else by score and then by popularity."""
    rows = one.rows[may_stand[one.rows]]
    rows = rows[~contains(query.history.seen, rows)]
    if one.in_order:
        yield from rows.tolist()
        return
    chosen = np.zeros(len(query.catalogue), dtype=bool)
    chosen[rows] = True
    yield from candidates.rows[chosen[candidates.rows]].tolist()
    chosen[candidates.rows] = False
    others = query.catalogue.by_popularity
    yield from others[chosen[others]][: query.limit].tolist()


def _arranged(candidates: Candidates, rows: RowArray, by_rule: BoolArray) -> Candidates:
    """Return the list that was placed, and behind it the candidates that it leaves over."""
    order = np.argsort(candidates.rows)
    ascending = candidates.rows[order]
    added = np.array([row for row in rows.tolist() if not contains(ascending, np.array([row]))[0]], dtype=np.int64)
    together = Candidates(
        rows=np.concatenate([candidates.rows, added]),
        source_scores={
            name: np.concatenate([scores, np.full(len(added), np.nan, dtype=np.float32)])
            for name, scores in candidates.source_scores.items()
        },
        score=np.concatenate([candidates.score, np.ones(len(added), dtype=np.float32)]),
        pinned=np.zeros(len(candidates) + len(added), dtype=bool),
    )
    position_of = {row: position for position, row in enumerate(together.rows.tolist())}
    placed = [position_of[row] for row in rows.tolist()]
    rest = np.setdiff1d(np.arange(len(together)), placed)
    arranged = together.take(np.array([*placed, *rest.tolist()], dtype=np.int64))
    arranged.pinned[: len(rows)] = by_rule
    arranged.score[: len(rows)][by_rule] = 1
    return arranged
