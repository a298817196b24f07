"""What an inspection has found, in plain words for editors: the answer first, then what else there is to know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from interactions.explored import SOURCE as EXPLORATION
from recommender.contracts import Query
from recommender.rules import wording
from recommender.visit import Visit

if TYPE_CHECKING:
    from recommender.inspecting import Inspection

DEEPEST = 2_000
"""How far down a source's own list an item is looked for."""
FALLBACKS = {
    "unknown_user": "nothing is known of this user",
    "no_history": "this user has done nothing that it could be made of",
    "no_model": "no model has been built yet",
    "backend_failed": "a part of it failed",
    "no_candidates": "it found nothing",
}


def sentences(found: Inspection, visit: Visit, query: Query, row: int) -> Iterator[str]:
    """Yield the answer in plain words, the most important first."""
    yield _standing(found) if found.place is not None else _missing(found, visit, query, row)
    if found.place is not None and found.score_place != found.place:
        yield from filter(None, [_by_score(found).strip()])
    made = found.list
    if made.fallback:
        why = FALLBACKS.get(made.fallback_reason, made.fallback_reason)
        yield f"The list that was asked for could not be made, because {why}: the list “{made.recipe}” stands in."
    if made.variant:
        yield f"The user takes part in the experiment {made.experiment_id} and gets its variant {made.variant}."
    minimum = next((one.minimum for one in visit.state.placements.specs if one.name == made.placement), 0)
    if len(made.items) < min(minimum, query.limit):
        yield f"The row itself is not shown: it has {len(made.items)} items and needs {minimum}."


def _standing(found: Inspection) -> str:
    assert found.place is not None  # noqa: S101 -- the caller asked
    shown = found.list.items[found.place - 1]
    by = next((hit for hit in found.hits if hit.spec.pk == shown.rule), None)
    if by is not None:
        because = f"the rule “{wording.called(by.spec)}” puts it there ({by.deed})"
    elif shown.source == EXPLORATION:
        because = "this place is kept for an item that hardly anybody has been shown yet"
    elif shown.source:
        because = f"its score is high, most of all by the source {shown.source}: “{shown.reason}”"
    else:
        because = f"its score is high: “{shown.reason}”"
    return f"It stands at place {found.place} of {len(found.list.items)}, because {because}."


def _missing(found: Inspection, visit: Visit, query: Query, row: int) -> str:
    shut_out = [hit for hit in found.hits if hit.shuts_out]
    for name in found.removed_by:
        if name != "ruled_out":
            return f"It is not in the list: {_filtered(name, found, visit, query, row)}."
    if shut_out:
        rules = ", and ".join(f"the rule “{wording.called(hit.spec)}” {hit.effect}" for hit in shut_out)
        stage = "ruled_out" if "ruled_out" in found.removed_by else "business_rules"
        return f"It is not in the list: {rules} (stage {stage})."
    if not any(stage.kind in ("scorer", "re-ranker") and (stage.before or stage.after) for stage in found.stages):
        return f"It is not in the list: no source proposed it. {_closest(found)}"
    lost = next((stage for stage in found.stages if stage.removed and stage.kind == "re-ranker"), None)
    ruled = [hit for hit in found.hits if hit.effect.startswith("moves it")]
    because = f" Without the rule “{wording.called(ruled[0].spec)}” it would be ({ruled[0].deed})." if ruled else ""
    if lost is not None:
        return f"It is not in the list: it had come to place {lost.before}, and {lost.name} took it out.{because}"
    last = next((stage.after for stage in reversed(found.stages) if stage.after is not None), found.score_place)
    return (
        f"It is not in the list: it came at place {last}, and the list shows {query.limit}.{_by_score(found)}{because}"
    )


def _filtered(name: str, found: Inspection, visit: Visit, query: Query, row: int) -> str:
    if name == "unavailable":
        return _unavailable(query, row)
    if name == "seen":
        pk = int(query.catalogue.pks[row])
        last = visit.user.occurred_at[visit.user.item_pks == pk]
        when = f", last on {_day(float(last[0]))}" if len(last) else ""
        return f"this user has taken it already{when}"
    if name == "excluded" and query.seed == row:
        return "the list is about this very item"
    if name == "excluded":
        return f"the row “{found.above}” above it shows it" if found.above else "the request leaves it out"
    return f"the filter {name} removes it"


def _unavailable(query: Query, row: int) -> str:
    catalogue = query.catalogue
    if not catalogue.is_active[row]:
        return "it is switched off in the catalogue"
    if catalogue.available_from[row] > query.now:
        return f"it is not available until {_moment(float(catalogue.available_from[row]))}"
    return f"it is no longer available since {_moment(float(catalogue.available_until[row]))}"


def _closest(found: Inspection) -> str:
    placed = [one for one in found.sources if one.place is not None and one.proposes]
    if not placed:
        return f"No source has it among its first {DEEPEST:,}."
    best = min(placed, key=lambda one: (one.place or 0) / one.proposes)
    return f"The closest it came was place {best.place} by {best.name}, which proposes {best.proposes}."


def _by_score(found: Inspection) -> str:
    """Say where its score alone would have it; "" for what only filled the list up, or a rule brought in."""
    if found.score_place is None:
        return ""
    return f" By its score alone it would stand at place {found.score_place}{_biggest_move(found)}."


def _biggest_move(found: Inspection) -> str:
    """Say which re-ranker moved it furthest; "" when none did."""
    moves = [
        (abs(stage.after - stage.before), stage)
        for stage in found.stages
        if stage.before is not None and stage.after is not None and stage.before != stage.after
    ]
    if not moves:
        return ""
    _, most = max(moves, key=lambda move: move[0])
    return f"; {most.name} moved it most, from {most.before} to {most.after}"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
