"""From what editors write to what visitors get: the draft is submitted, reviewed and published as one version.

The draft is the `Rule` rows, which serve nobody. A version is all of them at one moment, as data that never changes.
Publishing and rolling back move one pointer (`ActiveRules`) in one transaction, and count on the next request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from recommender import placement_access
from recommender.exceptions import RulesRefused
from recommender.models import ActiveRules, RuleSetVersion, ServedRules
from recommender.rules import draft, lint
from recommender.rules.vocabulary import RuleSpec

ALIAS = "default"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that two versions do not have alike."""

    pk: int
    name: str
    before: RuleSpec | None
    """None: it is new."""
    after: RuleSpec | None
    """None: it is gone."""


def published() -> list[RuleSpec]:
    """Return the rules that serve (one query)."""
    pointer = ActiveRules.objects.filter(alias=ALIAS).select_related("version").first()
    return [] if pointer is None or pointer.version is None else specs_of(pointer.version)


def specs_of(version: RuleSetVersion) -> list[RuleSpec]:
    """Return a version's rules."""
    return msgspec.convert(version.rules, list[RuleSpec], strict=False)


def submit(by: Any, note: str = "") -> RuleSetVersion:
    """Return a version of the draft as it is now, to be reviewed.

    Raises
    ------
    RulesRefused
        The linter found errors; nothing was stored.
    """
    specs = draft.read()
    errors = [finding for finding in lint.findings(specs) if finding.is_error]
    if errors:
        raise RulesRefused(errors)
    return RuleSetVersion.objects.create(
        rules=msgspec.to_builtins(specs), note=note, submitted_by=by, state=RuleSetVersion.State.SUBMITTED
    )


def publish(version: RuleSetVersion, by: Any) -> None:
    """Let the version serve from the next request on; what served before it is where a roll-back goes.

    Parameters
    ----------
    by
        Who. He may be stopped by what changes for placements that are in others' hands; None may do all.

    Raises
    ------
    RulesRefused
        It was rejected in its review, or a rule changes that he may not touch.
    """
    with transaction.atomic():
        # The pointer first, as in `roll_back`: two editors wait for each other instead of deadlocking.
        pointer, _ = ActiveRules.objects.select_for_update().get_or_create(alias=ALIAS)
        version = RuleSetVersion.objects.select_for_update().get(pk=version.pk)
        if version.state == RuleSetVersion.State.REJECTED:
            raise RulesRefused([f"Version {version.pk} was rejected; submit the draft again."])
        _refuse_untouchable(by, [] if pointer.version is None else specs_of(pointer.version), specs_of(version))
        version.state, version.published_by, version.published_at = version.State.PUBLISHED, by, timezone.now()
        version.save(update_fields=["state", "published_by", "published_at"])
        if pointer.version_id != version.pk:
            _point(pointer, version, by)


def _point(pointer: ActiveRules, version: RuleSetVersion | None, by: Any) -> None:
    pointer.previous_id, pointer.version = pointer.version_id, version
    pointer.save()
    ServedRules.objects.create(version=version, by=by)


def publish_draft(by: Any = None, note: str = "") -> RuleSetVersion:
    """Submit and publish in one transaction."""
    with transaction.atomic():
        version = submit(by, note)
        publish(version, by)
    return version


def reject(version: RuleSetVersion, by: Any, why: str) -> None:
    """Refuse a submitted version, saying why; it stays for the record.

    Raises
    ------
    RulesRefused
        It does not wait for a review, or no reason is given.
    """
    if not why.strip():
        raise RulesRefused(["Say why, so that the editor knows what to change."])
    waiting = RuleSetVersion.objects.filter(pk=version.pk, state=RuleSetVersion.State.SUBMITTED)
    if not waiting.update(state=RuleSetVersion.State.REJECTED, reviewed_by=by, review=why):
        raise RulesRefused([f"Version {version.pk} does not wait for a review."])


def roll_back(by: Any) -> RuleSetVersion | None:
    """Let the version serve again that served before the present one; None: there were no rules before it.

    Raises
    ------
    RulesRefused
        There was none.
    """
    with transaction.atomic():
        pointer = ActiveRules.objects.select_for_update().filter(alias=ALIAS).first()
        if pointer is None:
            raise RulesRefused(["There is no earlier version to go back to."])
        earlier: RuleSetVersion | None = pointer.previous
        if earlier is None:
            _refuse_untouchable(by, [] if pointer.version is None else specs_of(pointer.version), [])
            _point(pointer, None, by)
        else:
            publish(earlier, by)
        return earlier


def restore(version: RuleSetVersion, by: Any = None) -> None:
    """Make the draft what the version says.

    Raises
    ------
    RulesRefused
        A rule would change that `by` may not touch, as in `publish`.
    """
    _refuse_untouchable(by, draft.read(), specs_of(version))
    draft.write(specs_of(version))


def _refuse_untouchable(by: Any, before: Sequence[RuleSpec], after: Sequence[RuleSpec]) -> None:
    closed = {} if by is None else placement_access.closed_to(by)
    changes = difference(before, after) if closed else []
    refused = {
        change.name: placement_access.refusal(closed, spec.audience.placements)
        for change in changes
        for spec in (change.before, change.after)
        if spec is not None and placement_access.refusal(closed, spec.audience.placements)
    }
    if refused:
        raise RulesRefused([f'"{name}" would change. {why}' for name, why in refused.items()])


def difference(before: Sequence[RuleSpec], after: Sequence[RuleSpec]) -> list[Difference]:
    """Return what differs, by rule, in the order of their keys."""
    old, new = {spec.pk: spec for spec in before}, {spec.pk: spec for spec in after}
    return [
        Difference(pk=pk, name=(new.get(pk) or old[pk]).name, before=old.get(pk), after=new.get(pk))
        for pk in sorted(old.keys() | new.keys())
        if old.get(pk) != new.get(pk)
    ]
