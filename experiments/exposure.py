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
    INSERT INTO experiments_exposure (experiment_id, phase, unit, variant, exposed_at)
    SELECT experiment.id, first.phase, first.unit, first.variant, to_timestamp(first.shown_at)
    FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::float8[])
         AS first (experiment_id, phase, unit, variant, shown_at)
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
    first: dict[tuple[str, int, str, str], float] = {}
    for one in served:
        if one.experiment_id and one.phase is not None and one.user_id and one.variant:
            key = (one.experiment_id, one.phase, one.user_id, one.variant)
            first[key] = min(one.shown_at, first.get(key, one.shown_at))
    if not first:
        return 0
    experiment_ids, phases, units, variants = (list(column) for column in zip(*first, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [experiment_ids, phases, units, variants, list(first.values())])
        return int(cursor.rowcount)


def erase(unit: str) -> int:
    """Delete every exposure of a unit (a person asked to be forgotten). Returns how many there were."""
    return Exposure.objects.filter(unit=unit).delete()[0]


def export(unit: str) -> list[dict[str, object]]:
    """Return what a unit was exposed to (a person asked what is stored of him), oldest first."""
    fields = ("experiment__experiment_id", "phase", "variant", "exposed_at")
    rows = Exposure.objects.filter(unit=unit).order_by("exposed_at", "pk").values_list(*fields)
    return [dict(zip(("experiment_id", *fields[1:]), row, strict=True)) for row in rows]
