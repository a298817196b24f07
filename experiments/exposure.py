"""The first time each unit was served a variant, written where the list is served.

Called inside the transaction that writes the impressions, so there is an exposure exactly where there is an impression.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from experiments.models import Exposure
from interactions.contracts import ServedList

# Sorted, so that two writers lock the same keys in the same order. The join leaves out experiments deleted meanwhile.
_INSERT = """
    INSERT INTO experiments_exposure (experiment_id, phase, unit, variant, exposed_at, device, app_version)
    SELECT experiment.id, first.phase, first.unit, first.variant, to_timestamp(first.shown_at), device, app_version
    FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::float8[], %s::text[], %s::text[])
         AS first (experiment_id, phase, unit, variant, shown_at, device, app_version)
    JOIN experiments_experiment experiment USING (experiment_id)
    ORDER BY experiment.id, first.phase, first.unit, first.variant
    ON CONFLICT (experiment_id, phase, unit, variant) DO NOTHING
"""


def record_first(served: Sequence[ServedList]) -> int:
    """Write the exposures that are not known yet. Returns how many were.

    Lists outside any experiment, or without a user, expose nobody. The earliest list of the batch counts. One statement
    whatever the number of lists; safe to repeat.

    Raises
    ------
    django.db.DataError
        A list holds what Postgres cannot (a NUL, a moment beyond its calendar); nothing of the batch is written.
    """
    first: dict[tuple[str, int, str, str], ServedList] = {}
    for one in served:
        if one.experiment_id and one.phase is not None and one.user_id and one.variant:
            key = (one.experiment_id, one.phase, one.user_id, one.variant)
            first[key] = min(first.get(key, one), one, key=_shown_at)
    if not first:
        return 0
    columns = [list(column) for column in zip(*first, strict=True)]
    columns += [[getattr(one, name) for one in first.values()] for name in ("shown_at", "device", "app_version")]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, columns)
        return int(cursor.rowcount)


def _shown_at(one: ServedList) -> float:
    return one.shown_at


def erase(unit: str) -> int:
    """Delete every exposure of a unit (a person asked to be forgotten). Returns how many there were."""
    return Exposure.objects.filter(unit=unit).delete()[0]


def export(unit: str) -> list[dict[str, object]]:
    """Return what a unit was exposed to (a person asked what is stored of him), oldest first."""
    fields = ("experiment__experiment_id", "phase", "variant", "exposed_at")
    rows = Exposure.objects.filter(unit=unit).order_by("exposed_at", "pk").values_list(*fields)
    return [dict(zip(("experiment_id", *fields[1:]), row, strict=True)) for row in rows]
