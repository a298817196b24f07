"""A site that had rules before they were versioned goes on showing what it showed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from recommender.models import ActiveRules, RuleSetVersion, ServedRules
from recommender.rules import draft, versions
from recommender.rules.schedule import Schedule
from recommender.rules.vocabulary import Action, Audience, Clause, Operator, RuleSpec

LATER = ("recommender", "0016_rules_note_when_they_serve")
BEFORE, AFTER = ("recommender", "0006_rebuilds_note_their_course"), ("recommender", "0009_rules_are_drafts")


def migrated(to: tuple[str, str]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate([to])
    return MigrationExecutor(connection).loader.project_state([to]).apps


@pytest.mark.django_db
def test_rules_of_an_earlier_recsite_are_carried_over_and_published() -> None:
    migrated(LATER)
    # The placements that go with the migration after it are still to be checked, and a table with such rows is not altered.
    connection.check_constraints()
    apps = migrated(BEFORE)
    item = apps.get_model("catalog", "Item").objects.create(item_id="heat", title="Heat")
    rules = apps.get_model("recommender", "Rule").objects
    home = apps.get_model("recommender", "Placement").objects.get(name="homepage")
    until = datetime(2030, 1, 1, tzinfo=UTC)
    pin = rules.create(name="pin", action="pin", item=item, placement=home, position=2, priority=7, active_until=until)
    boost = rules.create(name="boost", action="boost", category="war", tag="classic", multiplier=3.0)
    rules.create(name="off", action="hide", tag="old", is_active=False)
    # Foreign keys are checked at the end of a transaction, which this test never reaches.
    connection.check_constraints()
    migrated(AFTER)
    connection.check_constraints()
    # To what the code of today reads.
    for latest in MigrationExecutor(connection).loader.graph.leaf_nodes("recommender"):
        migrated(latest)
    expected = [
        RuleSpec(
            pk=pin.pk,
            action=Action.PIN,
            name="pin",
            priority=7,
            items=(item.pk,),
            position=2,
            audience=Audience(placements=("homepage",)),
            schedule=Schedule(until=until.timestamp()),
        ),
        RuleSpec(
            pk=boost.pk,
            action=Action.BOOST,
            name="boost",
            where=(Clause("category", Operator.IS, ("war",)), Clause("tag", Operator.IS, ("classic",))),
            multiplier=3.0,
        ),
    ]
    assert versions.published() == expected
    assert draft.read() == expected
    [served] = ServedRules.objects.all()
    assert (served.version, served.since) == (
        ActiveRules.objects.get().version,
        RuleSetVersion.objects.get().submitted_at,
    )
