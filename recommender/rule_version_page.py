"""What the page of one rule-set version shows: who did what with it, when it served, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalog import revisions, snapshot
from recommender import rule_changes
from recommender.models import ActiveRules, RuleSetVersion, ServedRules
from recommender.rule_changes import Changed
from recommender.rules import versions, wording

MOST_TIMES = 20
"""Times of service that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The version beside other rules."""

    title: str
    nothing: str
    """What is said when they are alike."""
    changes: list[Changed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One version."""

    version: RuleSetVersion
    serves: bool
    times: list[tuple[datetime, datetime | None, Any]]
    """(from, until, who let it serve), newest first; until None: it serves still."""
    comparisons: list[Comparison]
    rules: list[tuple[str, str]]
    """(name, what it does) of each of its rules."""

    @property
    def waits(self) -> bool:
        """Whether it waits for a review."""
        return bool(self.version.state == RuleSetVersion.State.SUBMITTED)

    @property
    def may_serve_again(self) -> bool:
        """Whether rolling back to it is possible."""
        return bool(self.version.state == RuleSetVersion.State.PUBLISHED and not self.serves)


def page(version: RuleSetVersion) -> Page:
    """Return the page of a version."""
    pointer = ActiveRules.objects.filter(alias=versions.ALIAS).select_related("version").first()
    serving = None if pointer is None else pointer.version
    earlier = RuleSetVersion.objects.filter(pk__lt=version.pk).first()
    catalogue = snapshot.current(revisions.from_database()[revisions.CATALOGUE])
    specs = versions.specs_of(version)
    serves = serving is not None and serving.pk == version.pk
    comparisons = []
    if not serves:
        now = [] if serving is None else versions.specs_of(serving)
        title = "no rules, which is what serves now" if serving is None else f"version {serving.pk}, which serves now"
        comparisons.append((title, now))
    if earlier is None:
        comparisons.append(("no rules, as it was before the first version", []))
    elif serving is None or earlier.pk != serving.pk:
        comparisons.append((f"version {earlier.pk}, the one before it", versions.specs_of(earlier)))
    titles = wording.titles_of(specs, catalogue)
    return Page(
        version=version,
        serves=serves,
        times=_times(version),
        comparisons=[
            Comparison(
                title=f"Compared with {title}",
                nothing="They are the same.",
                changes=rule_changes.between(old, specs, catalogue),
            )
            for title, old in comparisons
        ],
        rules=[
            (
                wording.called(spec),
                "; ".join(_line(name, text) for name, text in wording.facts(spec, titles).items() if name != "name"),
            )
            for spec in specs
        ],
    )


def _line(name: str, text: str) -> str:
    return text if name == "does" else f"{name}: {text}"


def _times(version: RuleSetVersion) -> list[tuple[datetime, datetime | None, Any]]:
    times = []
    for one in ServedRules.objects.filter(version=version).select_related("by")[:MOST_TIMES]:
        next_one = ServedRules.objects.filter(pk__gt=one.pk).order_by("pk").first()
        times.append((one.since, None if next_one is None else next_one.since, one.by))
    return times
