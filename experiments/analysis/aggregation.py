"""Exposures and events, summed up a variant in SQL: a report costs a few rows of memory whatever the traffic.

Reads the tables of `interactions` by name. Their rows are joined in sets of millions, which no function of
`interactions.queries` could hand over; the columns used are the ones its migrations promise to keep.

The unit is the user. Units that were exposed to two variants of one phase are left out of every sum and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from experiments.analysis.cuped import PairedSample
from experiments.analysis.sample import Sample

CLOCK_TOLERANCE = timedelta(days=1)
"""How far a client's clock may be behind ours for an attributed event still to be found; bounds the partitions read."""

_UNITS = """
    CREATE TEMP TABLE analysed_units ON COMMIT DROP AS
    SELECT unit, min(variant) AS variant, min(exposed_at) AS exposed_at,
           min(device) AS device, min(app_version) AS app_version
    FROM experiments_exposure
    WHERE experiment_id = %(experiment_pk)s AND phase = %(phase)s
    GROUP BY unit HAVING count(*) < 2
"""

# The first place stands for the whole list: of ten million impressions that leaves a million.
_LISTS = """
    CREATE TEMP TABLE analysed_lists ON COMMIT DROP AS
    SELECT request_id, user_id, variant
    FROM interactions_impression
    WHERE experiment_id = %(experiment_id)s AND phase = %(phase)s AND position = 0
      AND shown_at >= %(since)s::timestamptz - %(tolerance)s::interval
"""

EVENTS_OF_UNITS = """
    FROM interactions_event event
    JOIN interactions_userprofile profile ON profile.id = event.user_id
    JOIN analysed_units units ON units.unit = profile.user_id
"""

COUNTED = "event.event_type_id = (SELECT id FROM interactions_eventtype WHERE name = %(event_type)s)"
_DIVISOR = "event.event_type_id = (SELECT id FROM interactions_eventtype WHERE name = %(per_event_type)s)"
VALUE = "coalesce(event.value, 1)"

IN_TIME = "AND event.occurred_at < coalesce(%(until)s::timestamptz, 'infinity')"

# The request's id proves that the event followed the exposure, so no clocks are compared here.
ATTRIBUTED = """
    JOIN analysed_lists served ON served.request_id = event.request_id
                              AND served.user_id = units.unit AND served.variant = units.variant
    WHERE event.occurred_at >= %(since)s::timestamptz - %(tolerance)s::interval
"""

ANY = "WHERE event.occurred_at >= %(since)s AND event.occurred_at >= units.exposed_at"

_BEFORE = """
    WHERE event.occurred_at >= units.exposed_at - %(lookback)s::interval AND event.occurred_at < units.exposed_at
      AND event.occurred_at >= %(since)s::timestamptz - %(lookback)s::interval
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which exposures and which time a sum covers."""

    experiment_pk: int
    experiment_id: str
    phase: int
    since: datetime
    """Start of the phase."""
    until: datetime | None
    """End of the phase; None while it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureCounts:
    """Who took part."""

    users: dict[str, int]
    """Variant → units exposed to it and to no other."""
    multiple: int
    """Units exposed to more than one variant."""


def event_type_names() -> list[str]:
    """Return the names of all event types, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM interactions_eventtype ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def exposure_counts(scope: Scope) -> ExposureCounts:
    """Count the exposed units (one query)."""
    rows = read(
        """
        SELECT CASE WHEN arms = 1 THEN variant ELSE '' END, count(*)
        FROM (
            SELECT min(variant) AS variant, count(*) AS arms
            FROM experiments_exposure
            WHERE experiment_id = %(experiment_pk)s AND phase = %(phase)s
            GROUP BY unit
        ) units
        GROUP BY 1
        """,
        scope,
    )
    users = {str(variant): int(count) for variant, count in rows}
    return ExposureCounts(multiple=users.pop("", 0), users=users)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is summed up a unit."""

    event_type: str
    per_event_type: str = ""
    """Of a ratio: what is counted beside it, to divide by; else ""."""
    is_proportion: bool = False
    """1 for a unit with such an event and 0 without, instead of the sum of its events' values (1 for one without)."""
    attributed_only: bool = True
    """Only events that carry the id of a list of the experiment."""
    lookback_days: int = 0
    """Sum up what the unit did in so many days before its exposure, too; 0: do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One arm's sums."""

    sample: Sample
    with_history: PairedSample | None = None
    """The same beside what was done before the exposure, when that was asked for."""


@contextmanager
def gathered(scope: Scope, *, lists: bool) -> Iterator[None]:
    """Hold the units of the scope, and the lists they were shown where events are to follow those, for what is read
    within: each is gathered once, however many metrics are read."""
    parameters = _parameters(scope)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_UNITS, _LISTS if lists else _LISTS + " AND false"):
            cursor.execute(statement, parameters)
        cursor.execute("ANALYZE analysed_units; ANALYZE analysed_lists")
        yield
        cursor.execute("DROP TABLE analysed_units, analysed_lists")


def samples(scope: Scope, users: Mapping[str, int], measure: Measure) -> dict[str, Measured]:
    """Return variant → sums of one metric over all its exposed units (one query), for the variants of `users`.

    Within `gathered`. `users` are those of `exposure_counts`.
    """
    rows = read(
        f"""
        WITH happened AS ({happened(measure)}), past AS ({_past(measure)})
        SELECT variant, {_SUMS} FROM happened FULL JOIN past USING (unit, variant) GROUP BY variant
        """,  # noqa: S608 -- only literals of this module are put together
        scope,
        measure,
    )
    sums = {str(variant): [float(value) for value in values] for variant, *values in rows}
    return {variant: measured(n, sums.get(variant, [0.0] * 8), measure) for variant, n in users.items()}


_SUMS = """
    sum(coalesce(y, 0)), sum(coalesce(y * y, 0)), sum(coalesce(d, 0)), sum(coalesce(d * d, 0)),
    sum(coalesce(y * d, 0)), sum(coalesce(x, 0)), sum(coalesce(x * x, 0)), sum(coalesce(x * y, 0))
"""


def happened(measure: Measure) -> str:
    """Return the query of each unit's y and d: what is counted, and what it is divided by."""
    if measure.per_event_type:
        counted = f"coalesce(sum({VALUE}) FILTER (WHERE {COUNTED}), 0)"
        divisor = f"coalesce(sum({VALUE}) FILTER (WHERE {_DIVISOR}), 0)"
        wanted = f"({COUNTED} OR {_DIVISOR})"
    else:
        counted = "1.0" if measure.is_proportion else f"sum({VALUE})"
        divisor, wanted = "0.0", COUNTED
    return (
        f"SELECT units.unit, units.variant, {counted} AS y, {divisor} AS d {EVENTS_OF_UNITS} "
        f"{ATTRIBUTED if measure.attributed_only else ANY} AND {wanted} {IN_TIME} GROUP BY units.unit, units.variant"
    )


def _past(measure: Measure) -> str:
    """Return the query of each unit's x: the same, from any list or none, before its first exposure."""
    if not measure.lookback_days:
        return "SELECT unit, variant, 0.0 AS x FROM analysed_units WHERE false"
    counted = "1.0" if measure.is_proportion else f"sum({VALUE})"
    return (
        f"SELECT units.unit, units.variant, {counted} AS x {EVENTS_OF_UNITS} {_BEFORE} AND {COUNTED} "
        "GROUP BY units.unit, units.variant"
    )


def measured(n: int, sums: list[float], measure: Measure) -> Measured:
    """Return an arm of `n` units from Σy, Σy², Σd, Σd², Σyd, Σx, Σx² and Σxy."""
    y, yy, d, dd, yd, x, xx, xy = sums
    if measure.per_event_type:
        return Measured(sample=Sample.of_ratio(n, total=y, squares=yy, per_total=d, per_squares=dd, products=yd))
    return Measured(
        sample=Sample(n=n, total=y, total_squares=yy, is_proportion=measure.is_proportion),
        with_history=PairedSample(n=n, y=y, y_squares=yy, x=x, x_squares=xx, xy=xy) if measure.lookback_days else None,
    )


def read(sql: str, scope: Scope, measure: Measure | None = None, **parameters: Any) -> list[tuple[Any, ...]]:
    """Answer a query about the scope's units and the measure's events."""
    if measure is not None:
        parameters.update(
            event_type=measure.event_type,
            per_event_type=measure.per_event_type,
            lookback=timedelta(days=measure.lookback_days),
        )
    parameters.update(_parameters(scope))
    with transaction.atomic(), connection.cursor() as cursor:
        # Sets are joined with sets. Where statistics are missing (a new month's partition) the planner expects one row
        # and loops over all events for each user: 800 users and 400 events took 6 s instead of 10 ms.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop = DEFAULT")
        return rows


def _parameters(scope: Scope) -> dict[str, Any]:
    return {
        "tolerance": CLOCK_TOLERANCE,
        "experiment_pk": scope.experiment_pk,
        "experiment_id": scope.experiment_id,
        "phase": scope.phase,
        "since": scope.since,
        "until": scope.until,
    }
