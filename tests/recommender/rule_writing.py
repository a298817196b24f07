"""Rules as an editor writes and publishes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.models import Item
from recommender.models import Placement, Rule, RuleClause, RuleItem
from recommender.rules import versions


def written(
    action: str, *, items: Sequence[str] = (), placements: Sequence[str] = (), where: str = "", **fields: Any
) -> Rule:
    """Return a stored rule of the draft.

    Parameters
    ----------
    items
        External ids.
    where
        "category=crime": the rule means the items of that value.
    """
    rule = Rule.objects.create(**{"name": action, **fields}, action=action)
    for order, item_id in enumerate(items):
        RuleItem.objects.create(rule=rule, item=Item.objects.get(item_id=item_id), order=order)
    if where:
        field, _, value = where.partition("=")
        RuleClause.objects.create(rule=rule, field=field, values=[value])
    rule.placements.set(Placement.objects.filter(name__in=placements))
    return rule


def published(action: str, **fields: Any) -> Rule:
    """Return a rule that is in effect on the next request, with all others of the draft."""
    rule = written(action, **fields)
    versions.publish_draft()
    return rule
