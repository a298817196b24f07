"""Why an item stands in somebody's list, or why it does not: the list is made as for him, and watched stage by stage.

Nothing is recorded and nothing is kept. What an experiment would show the user is what is looked into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from catalog.snapshot import ItemCard
from recommender import inspection_words, rule_hits, serving
from recommender.answering import Answer
from recommender.contracts import Candidates, Query, RecommendationList
from recommender.exceptions import UnknownItem
from recommender.inspection_words import DEEPEST
from recommender.pipeline import recipes
from recommender.pipeline.recipes import Recipe, SourceSlot
from recommender.pipeline.runner import BACKEND_FAILURES, RANKED
from recommender.rule_hits import Hit
from recommender.visit import Visit, begin


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSource:
    """What one source says of the item."""

    name: str
    weight: float
    """In the recipe; what a tuned model makes of it is its own."""
    proposes: int
    """How many items it may bring in; 0: it only scores."""
    score: float | None
    """None: it does not know the item, or does not take part."""
    place: int | None
    """Place in the source's own list, 1 is first; None: not among its first DEEPEST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfStage:
    """What one stage did, in the order in which they ran."""

    kind: str
    name: str
    went_in: int
    came_out: int
    before: int | None
    after: int | None
    """The item's place among what went in and came out, where there is an order; 1 is first."""
    removed: bool
    running: bool
    """Whether the item is still among the candidates behind it."""
    milliseconds: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One item in one list."""

    card: ItemCard
    list: RecommendationList
    place: int | None
    """1 is first; None: it is not in the list."""
    removed_by: tuple[str, ...]
    """Names of the filters that would not let it pass."""
    score_place: int | None
    """Its place by score alone, before any re-ranker; None: it was no candidate."""
    score: float | None
    sources: tuple[OfSource, ...]
    stages: tuple[OfStage, ...]
    hits: tuple[Hit, ...]
    above: str
    """Placement of a row above, on the same page, that shows it; "" when none does."""
    sentences: tuple[str, ...]
    """The answer in plain words, the most important first."""


def inspect(
    user_id: str,
    item_id: str,
    *,
    context: str = "",
    kind: str = "",
    seed_item_id: str = "",
    moment: float | None = None,
    language: str = "",
    device: str = "",
    on_its_page: bool = False,
) -> Inspection:
    """Return why the item is, or is not, in the user's list.

    Parameters
    ----------
    user_id
        "": a new visitor.
    context, kind, seed_item_id
        As `serving.recommend`.
    moment
        POSIX seconds at which rules, availability and ages count; None: now. Model and history are today's.
    on_its_page
        Leave out, as its page does, what the rows above the placement show.

    Raises
    ------
    UnknownItem, UnknownPlacement, RequestError
        As `serving.recommend`.
    ModelUnavailable
        Postgres and Redis are both away and this process has never served.
    """
    # `record` lets him take part in experiments; only `serving.recommend` and `serving.page` write anything.
    visit = begin(user_id, record=True, language=language, device=device)
    visit = visit if moment is None else replace(visit, now=moment)
    catalogue = visit.state.catalogue
    if item_id not in catalogue.row_of:
        raise UnknownItem(item_id)
    row = catalogue.row_of[item_id]
    shown = _above(visit, context, seed_item_id) if on_its_page and context else []

    def look(other: Visit) -> tuple[RecommendationList, Answer]:
        exclude = [one.item_id for made in shown for one in made.items]
        return serving.look_into(other, context=context, kind=kind, exclude=exclude, seed_item_id=seed_item_id)

    made, answer = look(visit)
    query, recipe = answer.query, recipes.get(answer.recipe)
    place = _place(answer.rows, row)
    ranked = query.scratch.get(RANKED)
    by_score = None if ranked is None else _place(ranked.rows.tolist(), row)
    hits = rule_hits.of_item(
        visit,
        query,
        row,
        place=place,
        placed_by=None if place is None else made.items[place - 1].rule,
        place_of=lambda other: _place(look(other)[1].rows, row),
    )
    found = Inspection(
        card=catalogue.cards[row],
        list=made,
        place=place,
        removed_by=tuple(_removing(recipe, query, row)),
        score_place=by_score,
        score=None if ranked is None or by_score is None else float(ranked.score[by_score - 1]),
        sources=tuple(_of_source(slot, query, row) for slot in recipe.sources if slot.source.enabled(query)),
        stages=tuple(_stages(answer, row)),
        hits=tuple(hits),
        above=next((one.placement for one in shown if item_id in {item.item_id for item in one.items}), ""),
        sentences=(),
    )
    return replace(found, sentences=tuple(inspection_words.sentences(found, visit, query, row)))


def _above(visit: Visit, placement: str, seed_item_id: str) -> list[RecommendationList]:
    """Return the rows that its page shows above a placement, and that it must not repeat."""
    page = visit.state.placements.named(placement).page
    group = visit.state.placements.named(placement).dedupe_group
    rows = [made for made, _ in serving.rows_of_page(visit, page, seed_item_id=seed_item_id)]
    mine = [number for number, made in enumerate(rows) if made.placement == placement]
    # A placement has several rows where each is about another seed.
    same = [number for number in mine if rows[number].seed_item_id == seed_item_id]
    return [made for made in rows[: (same or mine or [len(rows)])[0]] if made.dedupe_group == group]


def _place(rows: Sequence[int], row: int) -> int | None:
    return next((place for place, one in enumerate(rows, start=1) if one == row), None)


def _removing(recipe: Recipe, query: Query, row: int) -> list[str]:
    alone = Candidates.of(np.array([row], dtype=np.int64))
    removing = []
    for stage in recipe.filters:
        try:
            if stage.enabled(query) and not stage.keep(query, alone)[0]:
                removing.append(stage.name)
        except BACKEND_FAILURES:
            # Then the recipe has not answered: the trace says which stage has failed, and how.
            continue
    return removing


def _of_source(slot: SourceSlot, query: Query, row: int) -> OfSource:
    # What a stage keeps for a later call of its own is of the list that was made.
    asked = replace(query, scratch={})
    score, place = float("nan"), None
    try:
        score = float(slot.source.score(asked, np.array([row], dtype=np.int64))[0])
        place = _place(slot.source.retrieve(asked, min(DEEPEST, len(query.catalogue))).tolist(), row)
    except BACKEND_FAILURES:
        # The trace of the list says which source has failed, and how.
        score = float("nan")
    return OfSource(
        name=slot.source.name,
        weight=slot.weight,
        proposes=max(slot.n, query.limit) if slot.n else 0,
        score=score if np.isfinite(score) else None,
        place=place,
    )


def _stages(answer: Answer, row: int) -> list[OfStage]:
    told: list[OfStage] = []
    # Whether the item is still in the running, and in which order the stage before has handed on.
    running, order = False, np.empty(0, dtype=np.int64)
    for step in answer.trace.steps:
        before = _place(order.tolist(), row) if step.kind == "re-ranker" else None
        after = None
        if step.rows is not None:
            is_in = bool((step.rows == row).any())
            removed = running and not is_in and step.kind in ("filter", "re-ranker")
            running = is_in or (running and step.kind == "source")
            if step.kind != "filter":
                after, order = _place(step.rows.tolist(), row), step.rows
        else:
            removed = False
        told.append(
            OfStage(
                kind=step.kind,
                name=step.stage,
                went_in=step.went_in,
                came_out=step.came_out,
                before=before,
                after=after,
                removed=removed,
                running=running,
                milliseconds=step.milliseconds,
                error=step.error,
            )
        )
    return told
