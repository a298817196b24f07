"""What members of staff see on a card of the site: why it stands there, and the way to the inspector.

For everybody else there is nothing: no markup, and no query beyond what finds out who is looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from recommender import inspector_page, serving_state
from recommender.contracts import RecommendationList
from recommender.rules import wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What the overlay of one card says."""

    dom_id: str
    place: int
    """1 is first, in the list as it was answered."""
    source: str
    score: float
    reason: str
    rule: str
    """Name of the rule that put it there, "" when its score did."""
    rule_url: str
    model_version: str
    variant: str
    """Of the experiment that the user takes part in; "" in none."""
    inspector_url: str
    """"" on a site without Django's admin."""


def may_see(request: HttpRequest | None) -> bool:
    """Tell whether whoever is looking is a member of staff who may see rules."""
    user = getattr(request, "user", None)
    return bool(user is not None and user.is_staff and user.has_perm("recommender.view_rule"))


def notes(request: HttpRequest | None, answer: RecommendationList, *, on_its_page: bool = False) -> Mapping[str, Why]:
    """Return what the overlay says of each item of a list, by item id; nothing for who may not see it.

    Parameters
    ----------
    on_its_page
        Whether the list was made as a row of its page (`serving.page`), without what the rows above show.
    """
    if not may_see(request):
        return {}
    state = serving_state.last()
    named = {} if state is None else {spec.pk: wording.called(spec) for spec in state.rulebook.specs}
    return {
        item.item_id: Why(
            dom_id=f"why-{answer.request_id}-{place}",
            place=place,
            source=item.source,
            score=item.score,
            reason=item.reason,
            rule="" if item.rule is None else named.get(item.rule, f"rule {item.rule}"),
            rule_url="" if item.rule is None else _rule_url(item.rule),
            model_version=answer.model_version,
            variant=f"{answer.experiment_id}: {answer.variant}" if answer.variant else "",
            inspector_url=inspector_page.address(
                item_id=item.item_id,
                user_id=answer.user_id,
                placement=answer.placement,
                seed_item_id=answer.seed_item_id,
                on_its_page=on_its_page,
            ),
        )
        for place, item in enumerate(answer.items, start=1)
    }


def _rule_url(pk: int) -> str:
    try:
        return reverse("admin:recommender_rule_change", args=[pk])
    except NoReverseMatch:
        return ""
