"""What an editor sees before rules are published: what is wrong with them, and what would change."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from catalog import revisions, snapshot
from recommender import rule_changes
from recommender.impact import Impact
from recommender.models import ActiveRules, Placement, RuleImpact, RuleSetVersion
from recommender.rule_changes import Changed
from recommender.rules import draft, lint, versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What publishing the draft would mean now."""

    findings: list[lint.Finding]
    differences: list[Changed]
    serving: RuleSetVersion | None
    previous: RuleSetVersion | None
    """Where a roll-back goes; None: to no rules at all."""
    may_roll_back: bool
    may_publish: bool
    rejected: RuleSetVersion | None
    """The newest version, if a reviewer has refused it."""
    impact: RuleImpact | None
    """The newest measurement of these very rules."""
    measured: Impact | None
    """What it found, once it is done."""

    @property
    def click_rate(self) -> str:
        """The click rate as it is and as it would be, with the interval of the change."""
        if self.measured is None:
            return ""
        found = self.measured.replay
        return (
            f"{found.before:.2%} → {found.after:.2%}, a change of {100 * found.low:+.2f} to {100 * found.high:+.2f} "
            f"percentage points ({found.impressions:,} logged impressions)."
        )

    @property
    def covered(self) -> str:
        """How much of what the draft would show could have been shown where it stands."""
        return "" if self.measured is None else f"{self.measured.replay.covered:.0%}"


def page(*, may_publish: bool) -> Page:
    """Return the page for somebody who may publish, or may only submit."""
    specs = draft.read()
    pointer = ActiveRules.objects.filter(alias=versions.ALIAS).select_related("version", "previous").first()
    serving = None if pointer is None else pointer.version
    catalogue = snapshot.current(revisions.from_database()[revisions.CATALOGUE])
    impact = RuleImpact.objects.filter(rules=msgspec.to_builtins(specs)).first()
    minimum = min(Placement.objects.filter(is_active=True).values_list("minimum", flat=True), default=1)
    newest = RuleSetVersion.objects.select_related("reviewed_by").first()
    old = [] if serving is None else versions.specs_of(serving)
    return Page(
        findings=lint.findings(specs, catalogue, minimum=max(minimum, 1)),
        differences=rule_changes.between(old, specs, catalogue),
        serving=serving,
        previous=None if pointer is None else pointer.previous,
        may_roll_back=may_publish and pointer is not None,
        may_publish=may_publish,
        rejected=newest if newest is not None and newest.state == RuleSetVersion.State.REJECTED else None,
        impact=impact,
        measured=msgspec.convert(impact.result, Impact) if impact is not None and impact.result else None,
    )
