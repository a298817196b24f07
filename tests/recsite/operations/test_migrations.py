"""The version before runs on the tables of this one: a migration adds, and takes away only what nobody uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models.fields import NOT_PROVIDED

OURS = ("catalog", "interactions", "experiments", "recommender", "recsite")
BEFORE_ANY_RELEASE = {"catalog": 7, "interactions": 7, "experiments": 7, "recommender": 17, "recsite": 6}
"""Migrations up to these numbers were never between two versions that ran side by side."""


def operations() -> Iterator[tuple[tuple[str, str], Any]]:
    for key, migration in MigrationLoader(None).disk_migrations.items():
        app, name = key
        if app in OURS and int(name[:4]) > BEFORE_ANY_RELEASE[app]:
            for operation in migration.operations:
                yield key, operation


def fault(operation: Any) -> str:
    """Return what of an operation breaks the version before, "" when nothing."""
    match operation:
        case migrations.RemoveField() | migrations.DeleteModel():
            return "takes away what the version before reads"
        case migrations.RenameField() | migrations.RenameModel() | migrations.AlterModelTable():
            return "renames what the version before reads"
        case migrations.AddField(field=field) if _needs_a_value(field):
            return "adds a column that the version before does not fill: give it a db_default or null=True"
    return ""


def _needs_a_value(field: models.Field[Any, Any]) -> bool:
    return not (
        field.null or field.many_to_many or field.db_default is not NOT_PROVIDED or getattr(field, "generated", False)
    )


def test_no_migration_breaks_the_version_before() -> None:
    looked_at = list(operations())
    assert looked_at
    assert {(key, fault(operation)) for key, operation in looked_at if fault(operation)} == set()


@pytest.mark.parametrize(
    ("operation", "is_fine"),
    [
        (migrations.AddField("a", "b", models.IntegerField(null=True)), True),
        (migrations.AddField("a", "b", models.IntegerField(db_default=0)), True),
        (migrations.AddField("a", "b", models.IntegerField(default=0)), False),
        (migrations.RemoveField("a", "b"), False),
        (migrations.RenameField("a", "b", "c"), False),
        (migrations.DeleteModel("a"), False),
    ],
)
def test_what_is_found(operation: Any, is_fine: bool) -> None:
    assert (fault(operation) == "") is is_fine
