"""One list: made by a recipe, or found as it was made a moment ago; and what is to be recorded of it."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from functools import lru_cache, partial

import msgspec

from catalog import countries
from experiments.assignment import Assignment
from interactions import explored, explored_contexts, popularity
from interactions.contracts import ServedItem, ServedList
from recommender import conf, participation
from recommender.answering import Answer, answer
from recommender.arrays import RowArray
from recommender.contracts import Query, RecommendationList
from recommender.queries import PlacementSpec
from recommender.rerankers.exploration import HOUR_SECONDS
from recommender.result_cache import ResultCache
from recommender.shadowing import comparing
from recommender.variants import answer_for, variant_of, version_of
from recommender.visit import Visit

BECAUSE_YOU_WATCHED = "because_you_watched"
CATEGORY = "category"
SIMILAR = "similar"
"""Names of the recipes whose rows are about something: an item of the history, a category he likes."""

Made = tuple[RecommendationList, ServedList]


def listed(
    visit: Visit,
    placement: PlacementSpec,
    recipe: str,
    *,
    seed: int | None,
    exclude: RowArray,
    category: str = "",
    explain: bool = False,
) -> Made:
    """Return a list, and what is to be recorded once it is really shown.

    One that was made lately of the very same things is shown again, under an id of its own. One that is made anew is
    compared afterwards with the version that shadows, where one does (`shadowing`).
    """
    seconds: float | None = None

    def again(other: Visit) -> Made:
        return _make(other, placement, recipe, seed=seed, exclude=exclude, category=category, explain=explain)[0]

    def make() -> tuple[Made, float]:
        nonlocal seconds
        began = time.perf_counter()
        made, answered = _make(visit, placement, recipe, seed=seed, exclude=exclude, category=category, explain=explain)
        seconds = time.perf_counter() - began
        # What a failing stage has left out is back as soon as the stage is.
        return made, visit.now if answered.trace.errors else _until(visit, placement)

    def shown(found: Made) -> Made:
        if seconds is not None and not explain:
            comparing.note(visit, found, seconds, again)
        return found

    if explain or visit.user.stamp is None or placement.cache_seconds == 0:
        return shown(make()[0])
    part = participation.current() if visit.state.experiments else None
    # What he is tired of, not what he was shown: that is more with each list.
    rules = visit.rules(placement.name)
    tired = visit.tired(rules).tobytes()
    asked = placement, recipe, seed, category, exclude.tobytes()
    key = visit.user.user_id, visit.user.stamp, visit.record, part, *asked, tired
    made, served = _lists().get_or_make(key, _made_from(visit), rules, visit.now, make)
    request_id = uuid.uuid4()
    noted = msgspec.structs.replace(
        served, request_id=request_id, shown_at=visit.now, device=visit.device, app_version=visit.app_version
    )
    return shown((replace(made, request_id=request_id), noted))


def looked_into(
    visit: Visit, placement: PlacementSpec, recipe: str, *, seed: int | None, exclude: RowArray, category: str = ""
) -> tuple[RecommendationList, Answer]:
    """Return a list as `listed` makes it anew, and the answer it is made from: what was asked and what stages did."""
    (made, _), answered = _make(visit, placement, recipe, seed=seed, exclude=exclude, category=category, explain=True)
    return made, answered


def _made_from(visit: Visit) -> tuple[object, ...]:
    """Return everything that lists are made from but the user, what was asked for and his rules: the objects in use."""
    state = visit.state
    return (
        state.catalogue,
        state.model,
        state.rulebook,
        state.placements,
        state.experiments,
        state.event_types,
        popularity.trending(),
        explored.current(),
        explored.taken(),
        explored_contexts.current(),
        *(conf.get(name) for name in ("RECIPES", "REASONS", "CANDIDATES_PER_SOURCE", "EXPLORATION")),
    )


def _until(visit: Visit, placement: PlacementSpec) -> float:
    """Return the moment at which a list is made anew: an item comes or goes, exploration draws again, it is old."""
    hour_ends: float = (visit.now // HOUR_SECONDS + 1) * HOUR_SECONDS
    stated = placement.cache_seconds
    kept_until: float = visit.now + (conf.get("RESULT_CACHE")["seconds"] if stated is None else stated)
    return min(kept_until, hour_ends, visit.state.catalogue.unchanged_until(visit.now))


def _lists() -> ResultCache[Made]:
    """Return this process's cache of lists."""
    return _cache(conf.get("RESULT_CACHE")["lists"])


@lru_cache(maxsize=1)
def _cache(most: int) -> ResultCache[Made]:
    return ResultCache(most)


def _make(
    visit: Visit,
    placement: PlacementSpec,
    recipe: str,
    *,
    seed: int | None,
    exclude: RowArray,
    category: str,
    explain: bool,
) -> tuple[Made, Answer]:
    query = replace(
        query_of(visit, placement),
        seed=seed,
        category=category,
        # Somebody else's choice of a seed need not be something this user has watched.
        seed_is_from_history=recipe == BECAUSE_YOU_WATCHED and (seed is None or seed in visit.history.rows),
        exclude=exclude,
    )
    assignment = variant_of(query, placement, visit) if recipe == placement.recipe else None
    fewest = min(placement.minimum, placement.limit)
    ask = partial(answer, known=visit.user.known, fallback=placement.fallback, minimum=fewest)
    teams: tuple[str, ...] = ()
    if assignment is None:
        answered = ask(recipe, query)
    else:
        answered, teams = answer_for(assignment, placement, query, ask)
    made = _present(visit, query, placement, answered, assignment, explain)
    return (made, _served(visit, query, made, answered, assignment, teams)), answered


def query_of(visit: Visit, placement: PlacementSpec) -> Query:
    """Return what the visit's user asks of a placement, without a seed."""
    return Query(
        user_id=visit.user.user_id,
        limit=placement.limit,
        now=visit.now,
        catalogue=visit.state.catalogue,
        model=visit.state.model,
        history=visit.history,
        placement=placement.name,
        country=visit.user.country,
        preferences=visit.user.preferences,
        rules=visit.personal_rules(placement.name),
        diversity=placement.diversity,
        freshness=placement.freshness,
        trending=popularity.trending(),
        explored=explored.current() if placement.explores and conf.get("EXPLORATION") else None,
        taken=explored.taken(),
        explored_contexts=explored_contexts.current(),
    )


def _present(
    visit: Visit,
    query: Query,
    placement: PlacementSpec,
    answered: Answer,
    assignment: Assignment | None,
    explain: bool,
) -> RecommendationList:
    cards = query.catalogue.cards
    return RecommendationList(
        request_id=uuid.uuid4(),
        user_id=visit.user.user_id,
        is_recorded=visit.record,
        placement=placement.name,
        recipe=answered.recipe,
        title=_title(visit, query, placement, answered),
        items=answered.items,
        model_version=version_of(assignment, query),
        experiment_id=assignment.experiment_id if assignment else "",
        variant=assignment.variant if assignment else "",
        fallback=answered.fallback,
        fallback_reason=answered.fallback_reason,
        seed_item_id=cards[query.seed].item_id if query.seed is not None else "",
        dedupe_group=placement.dedupe_group,
        trace=answered.trace.as_dict() if explain else None,
    )


def _title(visit: Visit, query: Query, placement: PlacementSpec, answered: Answer) -> str:
    """Return the placement's title, or that of what answered instead when it would name a seed in vain."""
    if "{seed}" not in placement.title:
        return placement.title.replace("{place}", _place(query)).replace("{category}", query.category)
    if query.seed is None or answered.fallback:
        instead = visit.state.placements.of_recipe(answered.recipe)
        return "" if instead is None or "{seed}" in instead.title else instead.title.replace("{place}", _place(query))
    return placement.title.replace("{seed}", query.catalogue.cards[query.seed].title)


def _place(query: Query) -> str:
    """Return where a trending list counts what is taken: "in France", or "now" where nothing is known of a country."""
    is_counted = query.trending is not None and query.country in query.trending.countries
    return f"in {countries.name(query.country)}" if is_counted else "now"


def _served(
    visit: Visit,
    query: Query,
    made: RecommendationList,
    answered: Answer,
    assignment: Assignment | None,
    teams: tuple[str, ...],
) -> ServedList:
    # What somebody has asked to be shown says nothing of anybody.
    is_asked_for = assignment is not None and participation.current().forced is not None
    return ServedList(
        request_id=made.request_id,
        shown_at=visit.now,
        user_id=visit.user.user_id,
        placement=made.placement,
        model_version=made.model_version,
        rules_version=visit.state.rulebook.revision,
        experiment_id="" if is_asked_for else made.experiment_id,
        phase=assignment.phase if assignment else None,
        variant=made.variant,
        device=visit.device,
        app_version=visit.app_version,
        items=()
        if is_asked_for
        else tuple(
            ServedItem(
                item_pk=int(query.catalogue.pks[row]),
                position=position,
                source=item.source,
                propensity=item.propensity,
                variant=team,
            )
            for position, (row, item, team) in enumerate(
                zip(answered.rows, made.items, teams or ("",) * len(made.items), strict=True)
            )
        ),
    )
