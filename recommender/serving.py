"""The one door of every request: `recommend`, `similar_to`, `page`.

1. The user's features and the revisions come in one Redis round trip (`interactions.features`).
2. `serving_state` gives the catalogue, model, rules, placements and experiments of those revisions, from memory.
3. `listing` shows a list again that was made a moment ago of the very same things (`result_cache`), or makes it:
   `variants` says which experiment it takes part in; the user's variant may name another recipe.
4. `pipeline.runner` runs the recipe; where it cannot answer, its fallback does (`answering`).
5. `presenting` chooses among titles and pictures, and impressions are recorded, when the answer is ready (`show`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np

from experiments import exposure
from interactions import impressions
from recommender import participation, serving_state
from recommender.answering import Answer
from recommender.arrays import RowArray
from recommender.contracts import RecommendationList
from recommender.exceptions import RequestError, UnknownItem
from recommender.listing import BECAUSE_YOU_WATCHED, CATEGORY, SIMILAR, Made, listed, looked_into
from recommender.presenting import presented
from recommender.queries import PlacementSpec
from recommender.serving_state import ServingState
from recommender.subjects import Subject, chosen_subjects, subjects_of
from recommender.visit import Visit, begin

PERSONALIZED = "personalized"
KINDS = (PERSONALIZED, SIMILAR, "trending", BECAUSE_YOU_WATCHED, "new")
"""Values of the API's `type`, each the name of a recipe."""

MAXIMUM_LIMIT = 100
NOTHING: Mapping[str, Collection[str]] = MappingProxyType({})


def recommend(
    user_id: str,
    *,
    kind: str = "",
    context: str = "",
    limit: int | None = None,
    exclude: Collection[str] = (),
    shown: Mapping[str, Collection[str]] = NOTHING,
    seed_item_id: str = "",
    explain: bool = False,
    record: bool = True,
    language: str = "",
    device: str = "",
    app_version: str = "",
) -> RecommendationList:
    """Return one list for a user.

    Parameters
    ----------
    user_id
        External id; "" or an unknown one is answered with the popular list and `fallback`.
    kind
        One of `KINDS`; "" takes the placement's own recipe, or "personalized" without a placement.
    context
        Name of a placement: its title, limit and rules apply. "": the first placement that shows this kind.
    limit
        1..100; None takes the placement's.
    exclude
        External ids that must not be in the list; unknown ones are ignored.
    shown
        External ids that the page shows already, by dedupe group: those of the placement's own must not be in the list.
    seed_item_id
        What the list is about. Needed for "similar"; "because_you_watched" finds one in the history when it is "".
    explain
        Add the trace of every stage.
    record
        False for previews: no impression is stored and no experiment is joined.
    language, device
        Of the visitor, for editors' rules that are for some of them only; of no device given, what his browser says.
    app_version
        Of what shows the list: noted with it, as the device is, to find where an experiment's split is broken.

    Raises
    ------
    UnknownItem, UnknownPlacement, RequestError
        The request names something that is not there or cannot be combined.
    ModelUnavailable
        Postgres and Redis are both away and this process has never served.
    """
    visit = begin(
        user_id, record=record, language=language, device=device or participation.device(), app_version=app_version
    )
    made = list_for(
        visit,
        kind=kind,
        context=context,
        limit=limit,
        exclude=exclude,
        shown=shown,
        seed_item_id=seed_item_id,
        explain=explain,
    )
    return show(visit, [made])[0]


def list_for(
    visit: Visit,
    *,
    kind: str = "",
    context: str = "",
    limit: int | None = None,
    exclude: Collection[str] = (),
    shown: Mapping[str, Collection[str]] = NOTHING,
    seed_item_id: str = "",
    explain: bool = False,
) -> Made:
    """Return one list for a visit, and what is to be recorded once it is really shown; see `recommend`."""
    asked = _asked(visit, kind, context, limit, exclude, shown, seed_item_id)
    return listed(
        visit,
        asked.placement,
        asked.recipe,
        seed=asked.subject.seed,
        category=asked.subject.category,
        exclude=asked.exclude,
        explain=explain,
    )


def look_into(
    visit: Visit, *, context: str = "", kind: str = "", exclude: Sequence[str] = (), seed_item_id: str = ""
) -> tuple[RecommendationList, Answer]:
    """Return one list as `list_for` does, and the answer it is made from; nothing is kept or recorded."""
    asked = _asked(visit, kind, context, None, exclude, NOTHING, seed_item_id)
    return looked_into(
        visit,
        asked.placement,
        asked.recipe,
        seed=asked.subject.seed,
        category=asked.subject.category,
        exclude=asked.exclude,
    )


class _Asked(NamedTuple):
    placement: PlacementSpec
    recipe: str
    subject: Subject
    exclude: RowArray


def _asked(
    visit: Visit,
    kind: str,
    context: str,
    limit: int | None,
    exclude: Collection[str],
    shown: Mapping[str, Collection[str]],
    seed_item_id: str,
) -> _Asked:
    placement = _placement(visit.state, kind, context)
    recipe = kind or placement.recipe
    subject = Subject(_row(visit.state, seed_item_id) if seed_item_id else None)
    if subject.seed is None and recipe in (BECAUSE_YOU_WATCHED, CATEGORY):
        subject = next(iter(chosen_subjects(visit, recipe, 1)), subject)
    if subject.seed is None and recipe == SIMILAR:
        raise RequestError("type=similar needs item_id: the item the list is about.")
    left_out = [*exclude, *shown.get(placement.dedupe_group, ())]
    rows = [visit.state.catalogue.row_of.get(item_id, -1) for item_id in left_out]
    return _Asked(
        msgspec.structs.replace(placement, limit=_limit(limit, placement)),
        recipe,
        subject,
        np.array(sorted(row for row in rows if row >= 0), dtype=np.int64),
    )


def similar_to(
    item_id: str, *, user_id: str = "", limit: int | None = None, explain: bool = False
) -> RecommendationList:
    """Return items like `item_id` (see `recommend` for the rest)."""
    return recommend(user_id, kind=SIMILAR, limit=limit, seed_item_id=item_id, explain=explain)


def page(
    page_name: str,
    *,
    user_id: str,
    seed_item_id: str = "",
    limit: int | None = None,
    language: str = "",
    device: str = "",
    only: Collection[str] = (),
    shown: Mapping[str, Collection[str]] = NOTHING,
    app_version: str = "",
) -> list[RecommendationList]:
    """Return the lists of a page's placements in order; no item stands in two of them.

    Where placements name a `dedupe_group`, it may stand in lists of different groups. A row of "because you watched" is
    repeated for up to RECOMMENDER_SEEDS_PER_PAGE seeds and left out for a user without history, a row of a category for
    up to RECOMMENDER_CATEGORIES_PER_PAGE; a row with fewer items than its placement's minimum is left out, too. A list
    that only falls back is shown when it is the first, or when its placement names the fallback.

    A page may be asked for in parts: `only` names the placements of this part (() is all of them), `shown` what the
    earlier parts show, as `recommend` takes it.

    Raises
    ------
    UnknownPlacement
        When no active placement stands on this page.
    """
    visit = begin(
        user_id, record=True, language=language, device=device or participation.device(), app_version=app_version
    )
    rows = list(rows_of_page(visit, page_name, seed_item_id=seed_item_id, limit=limit, only=only, shown=shown))
    return [made for made in show(visit, rows) if made.items]


def placements_of(page_name: str) -> list[PlacementSpec]:
    """Return a page's placements in order, as this process last knew them; [] before its first list."""
    state = serving_state.last()
    return [] if state is None else [spec for spec in state.placements.specs if spec.page == page_name]


def rows_of_page(
    visit: Visit,
    page_name: str,
    *,
    seed_item_id: str = "",
    limit: int | None = None,
    only: Collection[str] = (),
    shown: Mapping[str, Collection[str]] = NOTHING,
) -> Iterator[Made]:
    """Yield the lists of `page` one after the other, each with what is to be recorded once it is really shown.

    An empty one is a variant's that shows nothing: to be recorded only.
    """
    seed = _row(visit.state, seed_item_id) if seed_item_id else None
    row_of = visit.state.catalogue.row_of
    above: defaultdict[str, list[int]] = defaultdict(list)
    for group, item_ids in shown.items():
        above[group] += sorted(row_of[item_id] for item_id in item_ids if item_id in row_of)
    placements = visit.state.placements.on_page(page_name)
    is_first = not only or placements[0].name in only
    for placement in placements:
        if only and placement.name not in only:
            continue
        placement = msgspec.structs.replace(placement, limit=_limit(limit, placement))
        for subject in subjects_of(visit, placement, seed):
            beside = above[placement.dedupe_group]
            exclude = np.array(beside, dtype=np.int64)
            made, noted = listed(
                visit, placement, placement.recipe, seed=subject.seed, category=subject.category, exclude=exclude
            )
            repeats = not is_first and made.fallback and not placement.fallback
            if len(made.items) >= min(placement.minimum, placement.limit) and not repeats:
                yield made, noted
                is_first = False
                beside += [row_of[item.item_id] for item in made.items]
            elif not made.items and made.experiment_id:
                # On purpose, where a variant shows nothing: he has been exposed to that.
                yield made, noted


def show(visit: Visit, lists: Sequence[Made]) -> list[RecommendationList]:
    """Return lists under the titles and pictures that are shown; noted where anything may be stored of the visit."""
    shown = [presented(visit, *one) for one in lists]
    if visit.record:
        impressions.record([served for _, served in shown], alongside=exposure.record_first)
    return [made for made, _ in shown]


def _placement(state: ServingState, kind: str, context: str) -> PlacementSpec:
    if kind and kind not in KINDS:
        raise RequestError(f"type must be one of {', '.join(KINDS)}, not {kind!r}.")
    if context:
        return state.placements.named(context)
    recipe = kind or PERSONALIZED
    found = state.placements.of_recipe(recipe)
    return found or PlacementSpec(name="", page="", recipe=recipe, title="", limit=20, minimum=0)


def page_size(visit: Visit, kind: str = "", context: str = "") -> int:
    """Return how many items a list has that states no number; see `recommend`."""
    return _placement(visit.state, kind, context).limit


def _row(state: ServingState, item_id: str) -> int:
    if item_id not in state.catalogue.row_of:
        raise UnknownItem(item_id)
    return state.catalogue.row_of[item_id]


def _limit(limit: int | None, placement: PlacementSpec) -> int:
    if limit is None:
        return placement.limit
    if not 1 <= limit <= MAXIMUM_LIMIT:
        raise RequestError(f"limit must be 1..{MAXIMUM_LIMIT}, not {limit}.")
    return limit
