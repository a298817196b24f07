"""Who may edit a placement, and so the rules that are for it: the groups that have it in their hands, or everybody."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from recommender.models import Placement

EVERY = "recommender.edit_every_placement"


def closed_to(user: Any) -> dict[str, str]:
    """Return the placements that are in the hands of groups the user is in none of: name → those groups' names.

    Two queries at most, and none for who may edit every placement.
    """
    if user.has_perm(EVERY):
        return {}
    mine = set(user.groups.values_list("pk", flat=True))
    held: dict[str, dict[int, str]] = {}
    rows = Placement.objects.filter(editors__isnull=False).order_by("page", "position", "name", "editors__name")
    for name, group, group_name in rows.values_list("name", "editors", "editors__name"):
        held.setdefault(name, {})[group] = group_name
    return {name: " and ".join(groups.values()) for name, groups in held.items() if mine.isdisjoint(groups)}


def may_edit(user: Any, placement: Placement) -> bool:
    """Return whether the user may edit a placement, if his role allows it at all."""
    return placement.name not in closed_to(user)


def refusal(closed: Mapping[str, str], placements: Collection[str]) -> str:
    """Return why somebody may not write a rule for these placements, "" when he may.

    Parameters
    ----------
    closed
        As `closed_to` says of him.
    placements
        Names; none of them: the rule is for all.
    """
    touched = next((name for name in closed if not placements or name in placements), None)
    if touched is None:
        return ""
    who = f"only {closed[touched]} may edit {touched} and the rules that are for it"
    if placements:
        return f"{who[0].upper()}{who[1:]}."
    return f"A rule for no placement in particular is for all of them, and {who}. Choose the placements that it is for."
