"""The report as rows for a spreadsheet: one a variant of each metric, in all and by country, and one a preference."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from experiments.analysis.findings import ArmValue, Comparison, Report

COLUMNS = (
    "experiment", "phase", "part", "metric", "country", "variant", "users", "value", "difference", "low", "high",
    "low_always", "high_always", "p", "p_always", "p_adjusted", "chance_to_win",
)  # fmt: skip


def csv_of(report: Report) -> str:
    """Return the report as CSV with a header line. Figures are as computed, not rounded."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow([_harmless(report.experiment_id), report.phase, *map(_harmless, row)])
    return lines.getvalue()


def _rows(report: Report) -> Iterator[Sequence[object]]:
    for metric in report.metrics:
        yield from _of_arms("all", metric.name, "", metric.arms, metric.comparisons)
    primary = report.metrics[0].name if report.metrics else ""
    for segment in report.segments:
        yield from _of_arms("country", primary, segment.country, segment.arms, segment.comparisons)
    users = {arm.variant: arm.users for arm in report.arms}
    for one in report.preferences:
        figures = (one.lead, "", "", one.low, one.high, one.p_sign, "", "", "")
        yield "mixed lists", "", "", one.variant, users[one.variant], one.share, *figures


def _of_arms(
    part: str, metric: str, country: str, arms: Sequence[ArmValue], comparisons: Sequence[Comparison]
) -> Iterator[Sequence[object]]:
    compared = {comparison.variant: comparison for comparison in comparisons}
    for arm in arms:
        yield part, metric, country, arm.variant, arm.users, arm.mean, *_figures(compared.get(arm.variant))


def _figures(comparison: Comparison | None) -> Sequence[object]:
    if comparison is None or comparison.absolute.message:
        return ("",) * 9
    fixed, always = comparison.absolute, comparison.absolute_always
    return (
        fixed.estimate, fixed.low, fixed.high, always.low, always.high, fixed.p, always.p, comparison.p_adjusted,
        comparison.chance_to_win,
    )  # fmt: skip


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
