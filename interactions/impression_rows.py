"""Served lists as rows of `interactions_impression`, one an item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from interactions.contracts import ServedList

_TYPES = {
    "shown_at": "timestamptz",
    "request_id": "uuid",
    "user_id": "text",
    "item_id": "bigint",
    "placement": "text",
    "position": "smallint",
    "source": "text",
    "model_version": "text",
    "rules_version": "bigint",
    "experiment_id": "text",
    "phase": "integer",
    "variant": "text",
    "propensity": "float8",
    "device": "text",
    "app_version": "text",
    "presentation": "bigint",
    "presentation_propensity": "float4",
}
_COLUMNS = ", ".join(_TYPES)


def insert(served: Sequence[ServedList]) -> int:
    """Insert the rows that are not there yet, in one statement. Returns how many."""
    columns = [list(column) for column in zip(*_rows(served), strict=True)]
    if not columns:
        return 0
    arrays = ", ".join(f"%s::{kind}[]" for kind in _TYPES.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO interactions_impression ({_COLUMNS}) SELECT * FROM unnest({arrays}) "  # noqa: S608
            "ON CONFLICT DO NOTHING",
            columns,
        )
        return int(cursor.rowcount)


def copy(served: Sequence[ServedList]) -> int:
    """Insert the rows that are not there yet, by COPY through a temporary table. Returns how many.

    The caller holds a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS incoming_impression "
            "(LIKE interactions_impression INCLUDING DEFAULTS) ON COMMIT DROP"
        )
        cursor.execute("TRUNCATE incoming_impression")
        with (
            connection.wrap_database_errors,
            cursor.copy(f"COPY incoming_impression ({_COLUMNS}) FROM STDIN") as rows,
        ):
            for row in _rows(served):
                rows.write_row(row)
        # In the key's order: two writers of the same list wait for each other instead of deadlocking.
        cursor.execute(
            f"INSERT INTO interactions_impression ({_COLUMNS}) SELECT {_COLUMNS} FROM incoming_impression "  # noqa: S608
            "ORDER BY request_id, position, shown_at ON CONFLICT DO NOTHING"
        )
        return int(cursor.rowcount)


def _rows(served: Sequence[ServedList]) -> Iterator[tuple[Any, ...]]:
    for one in served:
        shown_at = datetime.fromtimestamp(one.shown_at, UTC)
        for item in one.items:
            yield (
                shown_at,
                one.request_id,
                one.user_id,
                item.item_pk,
                one.placement,
                item.position,
                item.source,
                one.model_version,
                one.rules_version,
                one.experiment_id,
                one.phase,
                item.variant or one.variant,
                item.propensity,
                one.device,
                one.app_version,
                item.presentation,
                None if item.presentation is None else item.presentation_propensity,
            )
