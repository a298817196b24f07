"""What two sets of rules do not have alike, in words: for the page of a version and for the one that publishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.snapshot import Catalogue
from recommender.rules import versions, wording
from recommender.rules.vocabulary import RuleSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One rule."""

    pk: int
    name: str
    what: str
    """"is new", "goes" or "changes"."""
    facts: list[tuple[str, str]]
    """(what it is about, what it says) of a rule that comes or goes."""
    changes: list[tuple[str, str, str]]
    """(what it is about, before, after) of one that changes; "" where it says nothing."""


def between(before: Sequence[RuleSpec], after: Sequence[RuleSpec], catalogue: Catalogue) -> list[Changed]:
    """Return the rules that differ, by their keys."""
    titles = wording.titles_of([*before, *after], catalogue)
    found = []
    for one in versions.difference(before, after):
        old, new = one.before, one.after
        either = new or old
        assert either is not None  # noqa: S101 -- one of them has it
        said = wording.facts(either, titles)
        found.append(
            Changed(
                pk=one.pk,
                name=wording.called(either),
                what="is new" if old is None else "goes" if new is None else "changes",
                facts=[] if old and new else [(name, text) for name, text in said.items() if name != "name"],
                changes=wording.changes(old, new, titles) if old and new else [],
            )
        )
    return found
