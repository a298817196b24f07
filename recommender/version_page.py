"""What was measured of a model version, in words and drawings for people: what the admin's page shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from recommender import metric_charts
from recommender.metric_charts import Chart, Measured
from recommender.models import ModelVersion
from recommender.ranking.wording import sentence
from recommender.training.report import ACCURACY, BEYOND_ACCURACY, readable
from recommender.training.segments import SEGMENTS

VERSIONS_DRAWN = 12
FINAL = "final"
FINAL_NAME = "final list"
Figures = Mapping[str, Mapping[str, float | None]]
"""Name → "mean", "low" and "high", as `training.report` makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure and its interval; empty texts where there is none."""

    value: str
    interval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One list, or one segment of users."""

    name: str
    cells: tuple[Cell, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Figures side by side."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints."""

    verdict: str
    """What the gate said."""
    refusals: tuple[str, ...]
    users: str
    """Whom it was measured on; empty when nothing was held out."""
    ranking: str
    """Which ranking the rebuild chose; empty when nothing was held out."""
    comparison: Chart | None
    history: Chart | None
    tables: tuple[Table, ...]


def page(version: ModelVersion, active: ModelVersion | None, newest_first: Iterable[ModelVersion]) -> Page:
    """Return the texts and drawings of `version`.

    Parameters
    ----------
    active
        The version that serves now, to compare with.
    newest_first
        The versions whose history is drawn, at most VERSIONS_DRAWN of them.
    """
    reports = _reports(version)
    before = _reports(active) if active and active != version else {}
    compared = _in_order(reports, {f"{active.name}, which serves": before[FINAL]} if active and FINAL in before else {})
    return Page(
        verdict=_verdict(version),
        refusals=tuple(version.gate_reasons),
        users=_users(version),
        ranking=sentence(version.metrics) if version.metrics.get("final") else "",
        comparison=metric_charts.comparison(_lists(compared)) if compared else None,
        history=_history(version, active, newest_first),
        tables=tuple(_tables(compared, version.metrics.get("index_recall", {}))),
    )


def _reports(version: ModelVersion) -> dict[str, dict[str, Any]]:
    """Return list name → its report; one made of the means alone for a version that has no more."""
    metrics = version.metrics
    if metrics.get("reports"):
        return dict(metrics["reports"])
    means = {FINAL: metrics.get("final"), **metrics.get("sources", {})}
    return {
        name: {
            "accuracy": _without_intervals(found, ACCURACY),
            "beyond_accuracy": _without_intervals(found, BEYOND_ACCURACY),
            "segments": {},
        }
        for name, found in means.items()
        if found
    }


def _in_order(reports: dict[str, Any], serving: dict[str, Any]) -> dict[str, Any]:
    """Return the final list, what serves, then the sources, best first: Postgres keeps no order of keys."""
    sources = {name: report for name, report in reports.items() if name != FINAL}
    best_first = sorted(
        sources, key=lambda name: sources[name]["accuracy"].get("ndcg", {}).get("mean") or 0, reverse=True
    )
    final = {FINAL: reports[FINAL]} if FINAL in reports else {}
    return {**final, **serving, **{name: sources[name] for name in best_first}}


def _without_intervals(means: Mapping[str, float], names: Iterable[str]) -> Figures:
    return {name: {"mean": means[name], "low": None, "high": None} for name in names if name in means}


def _verdict(version: ModelVersion) -> str:
    if version.state == ModelVersion.State.REFUSED:
        return "The gate refused it:"
    return "The gate objected, and it was published all the same:" if version.gate_reasons else "It passed the gate."


def _users(version: ModelVersion) -> str:
    final = version.metrics.get("final")
    if not final:
        return ""
    users = f"{round(final['users']):,} users, " if "users" in final else ""
    return f"{users}a fifth of each history held out, every unseen item ranked, lists of ten"


def _lists(reports: Mapping[str, Mapping[str, Any]]) -> list[Measured]:
    found = ((name, report["accuracy"]["ndcg"]) for name, report in reports.items() if report["accuracy"].get("ndcg"))
    return [
        Measured(
            name=_list_name(name),
            value=ndcg["mean"],
            low=ndcg["low"],
            high=ndcg["high"],
            role="main" if name == FINAL else "",
        )
        for name, ndcg in found
        if ndcg["mean"] is not None
    ]


def _history(version: ModelVersion, active: ModelVersion | None, newest_first: Iterable[ModelVersion]) -> Chart | None:
    drawn = []
    for one in reversed(list(newest_first)):
        ndcg = _reports(one).get(FINAL, {}).get("accuracy", {}).get("ndcg")
        if not ndcg or ndcg["mean"] is None:
            continue
        role = "refused" if one.state == ModelVersion.State.REFUSED else ""
        drawn.append(
            Measured(
                name=one.name,
                value=ndcg["mean"],
                low=ndcg["low"],
                high=ndcg["high"],
                role="active" if one == active else role,
                url="" if one == version else reverse("admin:recommender_modelversion_change", args=[one.pk]),
            )
        )
    return metric_charts.history(drawn) if drawn else None


def _tables(reports: Mapping[str, Mapping[str, Any]], index_recall: Mapping[str, float]) -> Iterable[Table]:
    """Yield the tables that have something to say."""
    if reports:
        yield Table(
            title="Accuracy at 10",
            columns=tuple(ACCURACY.values()),
            rows=tuple(_row(_list_name(name), report["accuracy"], ACCURACY) for name, report in reports.items()),
            note="Means over users; the small figures are 95 % bootstrap intervals.",
        )
        yield Table(
            title="Beyond accuracy at 10",
            columns=tuple(BEYOND_ACCURACY.values()),
            rows=tuple(
                _row(_list_name(name), report["beyond_accuracy"], BEYOND_ACCURACY) for name, report in reports.items()
            ),
            note=(
                "Coverage and Gini are of the whole catalogue: a Gini of 0 shows all items equally often. A popularity "
                "bias of 0.5 is an even choice, 1 only the most popular. Cold items have fewer than five interactions."
            ),
        )
    by_name = reports.get(FINAL, {}).get("segments", {})
    segments = {name: by_name[name] for name in SEGMENTS if name in by_name}
    if segments:
        yield Table(
            title="The final list by users' history",
            columns=tuple(ACCURACY.values()),
            rows=tuple(
                _row(name, segment["accuracy"], ACCURACY, note=_whom(segment)) for name, segment in segments.items()
            ),
            note="Light users have at most the median history of all who have one.",
        )
    if index_recall:
        yield Table(
            title="Vector indexes",
            columns=("recall@10 against exact search",),
            rows=tuple(
                Row(name=name, cells=(Cell(value=f"{recall:.4f}", interval=""),))
                for name, recall in index_recall.items()
            ),
        )


def _list_name(name: str) -> str:
    return FINAL_NAME if name == FINAL else name.replace("_", " ")


def _whom(segment: Mapping[str, int]) -> str:
    shortest, longest = segment["shortest_history"], segment["longest_history"]
    lengths = f"{shortest}" if shortest == longest else f"{shortest}–{longest}"
    return f"{segment['users']:,} users with {lengths} items"


def _row(name: str, figures: Figures, columns: Iterable[str], note: str = "") -> Row:
    return Row(name=name, cells=tuple(_cell(figures.get(column)) for column in columns), note=note)


def _cell(figure: Mapping[str, float | None] | None) -> Cell:
    found = figure or {}
    low, high = found.get("low"), found.get("high")
    interval = "" if low is None or high is None else f"{readable(low)}–{readable(high)}"
    return Cell(value=readable(found.get("mean")), interval=interval)
