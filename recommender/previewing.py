"""What a list is and what it would be with other rules, for anybody, at any moment; nothing is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.snapshot import ItemCard
from recommender import serving
from recommender.contracts import Recommendation, RecommendationList
from recommender.rules.compile import Rulebook
from recommender.rules.vocabulary import RuleSpec
from recommender.visit import Visit, begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item of either list."""

    card: ItemCard
    before: int | None
    """Place in the list as it is, 1 is first; None: not in it."""
    after: int | None
    """Place in the list as it would be."""
    rule: str
    """Name of the rule that puts it there, "" when its score does."""
    reason: str

    @property
    def move(self) -> str:
        """What happens to it: "new", "gone", "up", "down" or "stays"."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        return "stays" if self.after == self.before else "up" if self.after < self.before else "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Both lists, and what moves."""

    before: RecommendationList
    after: RecommendationList
    lines: list[Line]
    """In the order of the list as it would be, what goes behind it."""


def preview(
    specs: Sequence[RuleSpec],
    *,
    placement: str,
    user_id: str = "",
    moment: float | None = None,
    language: str = "",
    device: str = "",
    seed_item_id: str = "",
) -> Preview:
    """Return a placement's list with the rules that serve and with `specs` in their place.

    Parameters
    ----------
    user_id
        "": a new visitor.
    moment
        POSIX seconds at which schedules, availability and ages count; None: now. Model and history are today's.

    Raises
    ------
    UnknownItem, UnknownPlacement, RequestError
        As `serving.recommend`.
    """
    visit = begin(user_id, record=False, language=language, device=device)
    visit = visit if moment is None else replace(visit, now=moment)
    state = visit.state
    drafted = replace(state, rulebook=Rulebook(state.rulebook.revision, specs, state.catalogue))
    before = _listed(visit, placement, seed_item_id)
    after = _listed(replace(visit, state=drafted), placement, seed_item_id)
    names = {spec.pk: spec.name or f"rule {spec.pk}" for spec in (*state.rulebook.specs, *specs)}
    return Preview(before=before, after=after, lines=_lines(before, after, names))


def _listed(visit: Visit, placement: str, seed_item_id: str) -> RecommendationList:
    # Explained, it is neither taken from what is kept for requests nor kept for them.
    return serving.list_for(visit, context=placement, seed_item_id=seed_item_id, explain=True)[0]


def _lines(before: RecommendationList, after: RecommendationList, names: dict[int, str]) -> list[Line]:
    old = {item.item_id: place for place, item in enumerate(before.items, start=1)}
    new = {item.item_id: place for place, item in enumerate(after.items, start=1)}
    gone = [item for item in before.items if item.item_id not in new]

    def line(item: Recommendation) -> Line:
        return Line(
            card=item.card,
            before=old.get(item.item_id),
            after=new.get(item.item_id),
            rule="" if item.rule is None else names.get(item.rule, ""),
            reason=item.reason,
        )

    return [line(item) for item in (*after.items, *gone)]
