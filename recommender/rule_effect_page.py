"""What a rule's page says of its measured effect: texts only."""

from __future__ import annotations

from dataclasses import dataclass

from recommender import rule_effects
from recommender.rule_effects import Effect, Group

_COUNTED = "everybody who was shown a list of its placements while it was in force, whether it changed it or not."


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints."""

    verdict: str
    difference: str
    """"" while nothing can be told."""
    groups: tuple[tuple[str, ...], ...]
    """(who, users, lists, lists clicked, users with a click)."""
    notes: tuple[str, ...]


def page(rule_key: int) -> Page | None:
    """Return what was measured of a rule, None when nothing was."""
    effect = rule_effects.of_rule(rule_key)
    if effect is None:
        return None
    difference = (
        ""
        if effect.obstacle
        else (
            f"{_points(effect.difference)} percentage points more users with a click among those who get it "
            f"(95 % interval {_points(effect.low)} to {_points(effect.high)})."
        )
    )
    return Page(
        verdict=effect.verdict,
        difference=difference,
        groups=(_row("get the rule", effect.got), _row("are kept out", effect.held_out)),
        notes=tuple(_notes(effect)),
    )


def _row(who: str, group: Group) -> tuple[str, ...]:
    shares = (f"{group.click_through_rate:.1%}", f"{group.share_with_click:.1%}")
    return who, f"{group.users:,}", f"{group.lists:,}", *shares


def _points(share: float) -> str:
    return f"{100 * share:+.2f}"


def _notes(effect: Effect) -> list[str]:
    fit = "fit" if effect.split_is_sound else "do not fit"
    notes = [
        f"Counted from {effect.since:%Y-%m-%d %H:%M} to {effect.until:%Y-%m-%d %H:%M} UTC: {_COUNTED}",
        f"The sizes of the groups {fit} the holdout of {effect.holdout:.0%} (p = {effect.split_p:.3f}).",
    ]
    if effect.diluted_by:
        notes.append(
            f"It is for some {', '.join(effect.diluted_by)} only, which is not noted with what is shown: what it does "
            "to those it is for is more than the difference here."
        )
    return notes
