"""The same sums by country and by day, and the split by what users came with: where a mismatch or an effect sits.

All within `aggregation.gathered`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from experiments.analysis.aggregation import (
    ANY,
    ATTRIBUTED,
    COUNTED,
    EVENTS_OF_UNITS,
    IN_TIME,
    VALUE,
    Measure,
    Measured,
    Scope,
    happened,
    measured,
    read,
)


def samples_by_country(
    scope: Scope, measure: Measure, variants: Collection[str], most: int
) -> dict[str, dict[str, Measured]]:
    """Return country → variant → sums, for the `most` countries with the most units (one query); "" is not known."""
    rows = read(
        f"""
        WITH happened AS ({happened(measure)}),
        placed AS (
            SELECT units.unit, units.variant, coalesce(profile.country, '') AS country
            FROM analysed_units units LEFT JOIN interactions_userprofile profile ON profile.user_id = units.unit
        ),
        largest AS (SELECT country FROM placed GROUP BY country ORDER BY count(*) DESC, country LIMIT %(most)s)
        SELECT country, placed.variant, count(*),
               sum(coalesce(y, 0)), sum(coalesce(y * y, 0)), sum(coalesce(d, 0)), sum(coalesce(d * d, 0)),
               sum(coalesce(y * d, 0)), 0, 0, 0
        FROM placed JOIN largest USING (country) LEFT JOIN happened USING (unit) GROUP BY country, placed.variant
        """,  # noqa: S608 -- only literals of this module are put together
        scope,
        measure,
        most=most,
    )
    found: dict[str, dict[str, Measured]] = {}
    for country, variant, n, *values in rows:
        if variant in variants:
            of_country = found.setdefault(str(country), {})
            of_country[str(variant)] = measured(int(n), [float(value) for value in values], measure)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfArm:
    """What one day has added to an arm's sums."""

    day: date
    variant: str
    users: int
    total: float
    squares: float
    """Added to the sum of the units' squares, each of its whole value so far."""


def day_by_day(scope: Scope, measure: Measure) -> list[DayOfArm]:
    """Return what each day (UTC) has added, oldest first (one query). Not for ratios."""
    value = "least(sum({v}), 1)" if measure.is_proportion else "sum({v})"
    new = "least(total, 1) - least(total - today, 1)" if measure.is_proportion else "today"
    squared = (
        "least(total, 1) - least(total - today, 1)"
        if measure.is_proportion
        else "total * total - (total - today) * (total - today)"
    )
    rows = read(
        f"""
        WITH daily AS (
            SELECT units.unit, units.variant,
                   greatest(event.occurred_at, units.exposed_at) AT TIME ZONE 'UTC' AS moment,
                   {"1.0" if measure.is_proportion else VALUE} AS value
            {EVENTS_OF_UNITS} {ATTRIBUTED if measure.attributed_only else ANY} AND {COUNTED} {IN_TIME}
        ),
        summed AS (SELECT unit, variant, moment::date AS day, {value.format(v="value")} AS today
                   FROM daily GROUP BY unit, variant, moment::date),
        running AS (SELECT *, sum(today) OVER (PARTITION BY unit ORDER BY day) AS total FROM summed),
        earned AS (SELECT day, variant, sum({new}) AS y, sum({squared}) AS yy FROM running GROUP BY day, variant),
        joined AS (SELECT (exposed_at AT TIME ZONE 'UTC')::date AS day, variant, count(*) AS users
                   FROM analysed_units GROUP BY 1, 2)
        SELECT day, variant, coalesce(users, 0), coalesce(y, 0), coalesce(yy, 0)
        FROM joined FULL JOIN earned USING (day, variant) ORDER BY day, variant
        """,  # noqa: S608 -- only literals of this module are put together
        scope,
        measure,
    )
    return [
        DayOfArm(day=day, variant=variant, users=int(users), total=float(y), squares=float(yy))
        for day, variant, users, y, yy in rows
    ]


DIMENSIONS = {"country": "coalesce(profile.country, '')", "device": "device", "app_version": "app_version"}
"""Where a split can be broken down, and by what: the user's country as it is known now, and what was noted of the rest
with his first exposure."""


def users_by(dimension: str, scope: Scope) -> dict[str, dict[str, int]]:
    """Return value → variant → exposed units, for a name of `DIMENSIONS` (one query); "" is not known."""
    rows = read(
        f"""
        SELECT {DIMENSIONS[dimension]}, variant, count(*)
        FROM analysed_units LEFT JOIN interactions_userprofile profile ON profile.user_id = unit
        GROUP BY 1, 2
        """,  # noqa: S608 -- only literals of this module are put together
        scope,
    )
    found: dict[str, dict[str, int]] = {}
    for value, variant, count in rows:
        found.setdefault(str(value), {})[str(variant)] = int(count)
    return found
