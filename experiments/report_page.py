"""The report in words and numbers for people: what the admin's page shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from experiments.analysis.findings import Comparison, MetricResult, Preference, Report, Segment
from experiments.analysis.sample import Effect
from experiments.interval_plot import Bar, bars
from experiments.timeline_plot import Timeline, timelines


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRow:
    """A line of the exposure table."""

    variant: str
    weight: str
    users: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow:
    """A line of a metric's table; texts are empty for the control."""

    variant: str
    users: str
    mean: str
    change: str
    """Relative change with its interval, or why there is none."""
    absolute: str
    """Absolute difference with its interval, which `bar` draws."""
    p: str
    """Corrected p-value, as the verdict uses it."""
    p_fixed: str
    chance: str
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTable:
    """One metric."""

    name: str
    role: str
    kind: str
    rows: tuple[ValueRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceRow:
    """A line of the table of mixed lists."""

    variant: str
    for_control: str
    for_variant: str
    ties: str
    lead: str
    p: str
    bar: Bar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints."""

    split: str
    """The sample-ratio verdict in one sentence."""
    arms: tuple[ArmRow, ...]
    metrics: tuple[MetricTable, ...]
    method: str
    plan: str
    """What was declared, in one sentence."""
    timelines: tuple[Timeline, ...]
    countries: tuple[MetricTable, ...]
    preferences: tuple[PreferenceRow, ...]
    split_by: tuple[tuple[str, str, str, str], ...]
    """(dimension, value, users of each variant, p)."""


_KINDS = {"proportion": "share of users", "mean": "mean a user", "ratio": "ratio of two counts"}


def page(report: Report) -> Page:
    """Return the texts and drawings of a report."""
    is_share = bool(report.metrics) and report.metrics[0].kind == "proportion"
    return Page(
        split=_split(report),
        arms=tuple(
            ArmRow(
                variant=arm.variant,
                weight=f"{arm.weight:.1%}",
                users=f"{arm.users:,}",
                expected=f"{arm.expected_users:,.0f}",
            )
            for arm in report.arms
        ),
        metrics=tuple(_table(metric, is_final=report.is_final) for metric in report.metrics),
        method=_method(report),
        plan=_plan(report),
        timelines=tuple(timelines(report.looks, is_share=is_share)),
        countries=tuple(_table(_as_metric(segment, report.metrics[0]), is_final=False) for segment in report.segments),
        preferences=tuple(_preferences(report.preferences)),
        split_by=tuple(
            (
                one.dimension.replace("_", " "),
                one.value or "not known",
                ", ".join(f"{variant} {users:,}" for variant, users in one.users.items()),
                f"{one.p:.2g}",
            )
            for one in report.split_by
        ),
    )


def _method(report: Report) -> str:
    if report.is_final:
        return (
            f"{1 - report.alpha:.0%} fixed-horizon intervals: the planned {report.planned_users:,} users a variant "
            "were reached before it was stopped."
        )
    return f"{1 - report.alpha:.0%} always-valid intervals: looking early or often does no harm."


def _plan(report: Report) -> str:
    planned = "" if report.planned_users is None else f"Planned are {report.planned_users:,} users a variant. "
    needed = (
        ""
        if report.users_needed is None
        else f"By what the control has shown, the declared effect needs {report.users_needed:,} a variant."
    )
    return (planned + needed).strip()


def _as_metric(segment: Segment, primary: MetricResult) -> MetricResult:
    name = segment.country or "not known"
    return replace(primary, name=name, arms=segment.arms, comparisons=segment.comparisons)


def _preferences(found: Sequence[Preference]) -> Iterator[PreferenceRow]:
    leads = [Effect(estimate=one.lead, low=one.low, high=one.high, standard_error=0.0, p=one.p_sign) for one in found]
    for one, bar in zip(found, bars(leads), strict=True):
        yield PreferenceRow(
            variant=one.variant,
            for_control=f"{one.users_for_control:,}",
            for_variant=f"{one.users_for_variant:,}",
            ties=f"{one.ties:,}",
            lead=f"{one.lead:+.3f} ({one.low:+.3f} to {one.high:+.3f})",
            p=f"{one.p_sign:.3g}",
            bar=bar,
        )


def _split(report: Report) -> str:
    ratio = report.sample_ratio
    if report.kind == "interleaving":
        return "Every user sees all variants, mixed into one list: there is nothing to split."
    if ratio.is_broken:
        return f"Broken: the sizes do not fit the weights (p = {ratio.p:.2g}). The effects are hidden."
    if not ratio.is_testable:
        return "Too few users to check the split yet."
    return f"Sound: the sizes fit the weights (p = {ratio.p:.2g})."


def _table(metric: MetricResult, *, is_final: bool) -> MetricTable:
    comparisons = {comparison.variant: comparison for comparison in metric.comparisons}
    drawn = dict(zip(comparisons, bars([_absolute(one, is_final) for one in comparisons.values()]), strict=True))
    rows = []
    for arm in metric.arms:
        mean = f"{arm.mean:.2%}" if metric.kind == "proportion" else f"{arm.mean:.4g}"
        comparison = comparisons.get(arm.variant)
        rows.append(
            ValueRow(
                variant=arm.variant,
                users=f"{arm.users:,}",
                mean=mean,
                change=_percent(comparison.relative if is_final else comparison.relative_always) if comparison else "",
                absolute=_number(_absolute(comparison, is_final)) if comparison else "",
                p=f"{comparison.p_adjusted:.3g}" if comparison else "",
                p_fixed=f"{comparison.absolute.p:.3g}" if comparison else "",
                chance=f"{comparison.chance_to_win:.1%}" if comparison else "",
                bar=drawn.get(arm.variant),
            )
        )
    return MetricTable(
        name=metric.name,
        role="primary metric" if metric.is_primary else "guard-rail",
        kind=_KINDS[metric.kind],
        rows=tuple(rows),
    )


def _absolute(comparison: Comparison, is_final: bool) -> Effect:
    return comparison.absolute if is_final else comparison.absolute_always


def _percent(effect: Effect) -> str:
    return effect.message or f"{effect.estimate:+.1%} ({effect.low:+.1%} to {effect.high:+.1%})"


def _number(effect: Effect) -> str:
    return effect.message or f"{effect.estimate:+.4g} ({effect.low:+.4g} to {effect.high:+.4g})"
