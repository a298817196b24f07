"""Which of the editors' rules have to do with one item in one user's list: what they mean of it, and what they change.

Rules that shut out (hide, exclude, include only, same or different as the seed, fatigue) say so of the item itself.
What the others do, which share the places of a list among each other, is found by making the list again without the
rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from recommender.contracts import Query
from recommender.rules import matching, wording
from recommender.rules.compile import Rulebook, compile_rules
from recommender.rules.viewer import is_for, is_held_out
from recommender.rules.vocabulary import Action, RuleSpec
from recommender.visit import Visit

MOST_TRIED = 20
"""Rules without which the list is made again, the most important first: each costs as much as a list."""

PlaceOf = Callable[[Visit], int | None]
"""The item's place, 1 is first, in the list of a visit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One rule that is in effect for this list, as far as the item is concerned."""

    spec: RuleSpec
    deed: str
    effect: str
    """What it does to the item, a sentence without its subject."""
    shuts_out: bool = False
    """Whether it keeps the item from standing in the list for its score."""


def in_effect(visit: Visit, placement: str) -> tuple[list[RuleSpec], list[RuleSpec]]:
    """Return the rules that are in effect for this visit, and those that only their holdout keeps from it."""
    viewer = visit.viewer(placement)
    anybody = msgspec.structs.replace(viewer, user_id="")
    rulebook = visit.state.rulebook
    meant = [spec for spec in rulebook.specs if spec.schedule.contains(visit.now) and is_for(spec, anybody)]
    meant.sort(key=lambda spec: (-spec.priority, spec.pk))
    held_out = [spec for spec in meant if is_held_out(spec, viewer.user_id)]
    return [spec for spec in meant if spec not in held_out], held_out


def of_item(
    visit: Visit, query: Query, row: int, *, place: int | None, placed_by: int | None, place_of: PlaceOf
) -> list[Hit]:
    """Return the rules that have to do with the item, the most important first.

    Parameters
    ----------
    query
        What the list that was answered had been asked.
    place, placed_by
        Where the item stands, 1 is first, None: not in the list; and the rule that put it there, None: its score did.
    place_of
        Makes the list again for another visit.
    """
    active, held_out = in_effect(visit, query.placement)
    hits: list[Hit] = []
    tried = 0
    for spec in active:
        means = bool((matching.rows_of(spec, query.catalogue, query.now) == row).any())
        said, shuts_out = _of_itself(spec, visit, query, row, means, active)
        if not said and spec.action not in _SHUTTING and tried < MOST_TRIED:
            tried += 1
            said = _by_trial(spec, place, place_of(_without(visit, spec)), placed_by, means)
        if said:
            hits.append(Hit(spec=spec, deed=wording.deed(spec), effect=said, shuts_out=shuts_out))
    return hits + [
        Hit(spec=spec, deed=wording.deed(spec), effect="does nothing here: this user is in its holdout")
        for spec in held_out
    ]


_SHUTTING = (
    Action.HIDE, Action.EXCLUDE, Action.INCLUDE_ONLY, Action.SAME_AS_SEED, Action.DIFFERENT_FROM_SEED, Action.FATIGUE,
)  # fmt: skip


def _of_itself(
    spec: RuleSpec, visit: Visit, query: Query, row: int, means: bool, active: Sequence[RuleSpec]
) -> tuple[str, bool]:
    """Return what a rule says of the item whatever else is in effect, "" when nothing; and whether it shuts it out."""
    match spec.action:
        case Action.HIDE if means:
            return "hides it", True
        case Action.EXCLUDE if means:
            return "excludes it", True
        case Action.INCLUDE_ONLY if means:
            return "includes it", False
        case Action.INCLUDE_ONLY:
            others = (one for one in active if one.action == Action.INCLUDE_ONLY and one is not spec)
            included = any((matching.rows_of(one, query.catalogue, query.now) == row).any() for one in others)
            return ("", False) if included else ("recommends other items only", True)
        case Action.SAME_AS_SEED | Action.DIFFERENT_FROM_SEED if query.seed is not None:
            values = matching.values_of(query.catalogue, spec.attribute)
            of_seed = set(values(query.seed))
            shares = not of_seed.isdisjoint(values(row))
            if of_seed and shares != (spec.action == Action.SAME_AS_SEED):
                seed = query.catalogue.cards[query.seed].title
                compared = "another {} than" if spec.action == Action.SAME_AS_SEED else "the same {} as"
                return f"shuts it out: it has {compared.format(spec.attribute)} “{seed}”", True
        case Action.FATIGUE if row in visit.tired(compile_rules([spec], query.catalogue, query.now)):
            return "holds it back: this user has been shown it often enough without a click", True
    return "", False


def _by_trial(spec: RuleSpec, place: int | None, without: int | None, placed_by: int | None, means: bool) -> str:
    """Return what a rule does, told from the item's place with it and without it; "" when nothing."""
    if placed_by == spec.pk:
        return f"puts it at place {place}; without the rule {_placed(without)}"
    if place != without:
        return f"moves it: without the rule {_placed(without)}"
    return "means it, and changes nothing for it here" if means else ""


def _placed(place: int | None) -> str:
    return "it would not be in the list" if place is None else f"it would stand at place {place}"


def _without(visit: Visit, spec: RuleSpec) -> Visit:
    state = visit.state
    others = [one for one in state.rulebook.specs if one.pk != spec.pk]
    return replace(visit, state=replace(state, rulebook=Rulebook(state.rulebook.revision, others, state.catalogue)))
