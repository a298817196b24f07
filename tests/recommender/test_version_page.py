from __future__ import annotations

from typing import Any

import pytest

from recommender.models import ModelVersion
from recommender.version_page import Cell, page

pytestmark = pytest.mark.django_db


def figures(**means: float) -> dict[str, dict[str, float]]:
    """Return figures with intervals 0.1 wide."""
    return {name: {"mean": mean, "low": mean - 0.05, "high": mean + 0.05} for name, mean in means.items()}


def version(name: str, ndcg: float | None = None, **change: Any) -> ModelVersion:
    """Store a version with a report on its final list and on two sources, the worse one first; or with nothing."""
    metrics: dict[str, Any] = {}
    if ndcg is not None:
        segment = {"users": 1200, "shortest_history": 1, "longest_history": 7, "accuracy": figures(ndcg=0.25)}
        metrics = {
            "final": {"ndcg": ndcg, "users": 1500.0},
            "sources": {"popular": {"ndcg": 0.1}, "item_to_item": {"ndcg": 0.2}},
            "index_recall": {"content": 0.975},
            "reports": {
                "popular": {"accuracy": figures(ndcg=0.1), "beyond_accuracy": {}, "segments": {}},
                "item_to_item": {"accuracy": figures(ndcg=0.2), "beyond_accuracy": {}, "segments": {}},
                "final": {
                    "accuracy": figures(ndcg=ndcg),
                    "beyond_accuracy": {"gini": {"mean": 0.75, "low": None, "high": None}, **figures(novelty=11.5)},
                    "segments": {"light": segment, "new": {**segment, "shortest_history": 0, "longest_history": 0}},
                },
            },
        }
    return ModelVersion.objects.create(name=name, state="ready", metrics=metrics, **change)


def test_the_final_list_comes_first_and_sources_follow_best_first() -> None:
    shown = page(version("v1", 0.3), None, [])
    accuracy, beyond, segments, indexes = shown.tables
    assert accuracy.columns == ("NDCG", "recall", "precision", "MAP", "MRR", "HR")
    assert [(row.name, row.cells[0]) for row in accuracy.rows] == [
        ("final list", Cell(value="0.3000", interval="0.2500–0.3500")),
        ("item to item", Cell(value="0.2000", interval="0.1500–0.2500")),
        ("popular", Cell(value="0.1000", interval="0.0500–0.1500")),
    ]
    assert accuracy.rows[0].cells[1] == Cell(value="–", interval="")
    assert dict(zip(beyond.columns, beyond.rows[0].cells, strict=True))["Gini"] == Cell(value="0.7500", interval="")
    assert beyond.rows[0].cells[3] == Cell(value="11.50", interval="11.45–11.55")
    assert [(row.name, row.note, row.cells[0].value) for row in segments.rows] == [
        ("new", "1,200 users with 0 items", "0.2500"),
        ("light", "1,200 users with 1–7 items", "0.2500"),
    ]
    assert [(row.name, row.cells[0].value) for row in indexes.rows] == [("content", "0.9750")]
    assert shown.users.startswith("1,500 users, a fifth of each history held out")


def test_it_says_which_ranking_was_chosen() -> None:
    shown = version("v1", 0.3)
    assert page(shown, None, []).ranking.startswith("Ranked by the recipe's weights")
    quality = {"popular": 0.1, "item_to_item": 0.2, "blend": 0.3, "learned": 0.25}
    shown.metrics["ranking"] = {"kind": "blend", "columns": ["item_to_item", "popular"], "quality": quality}
    assert page(shown, None, []).ranking.startswith("Ranked by a blend of sources: NDCG@20 0.3000 ")
    assert page(version("v2"), None, []).ranking == ""


def test_the_chart_sets_the_final_list_apart() -> None:
    chart = page(version("v1", 0.3), None, []).comparison
    assert chart is not None
    assert [(mark.measured.name, mark.measured.role, mark.text) for mark in chart.marks] == [
        ("final list", "main", "0.3000 (0.2500–0.3500)"),
        ("item to item", "", "0.2000 (0.1500–0.2500)"),
        ("popular", "", "0.1000 (0.0500–0.1500)"),
    ]


def test_it_is_compared_with_what_serves() -> None:
    first, second = version("v1", 0.3), version("v2", 0.4)
    names = [row.name for row in page(second, first, []).tables[0].rows]
    assert names == ["final list", "v1, which serves", "item to item", "popular"]
    assert "v1, which serves" not in [row.name for row in page(first, first, []).tables[0].rows]


def test_history_runs_from_old_to_new_and_marks_what_serves() -> None:
    first, second, unmeasured, refused, last = (
        version("v1", 0.3),
        version("v2", 0.4),
        version("v3"),
        version("v4", 0.1),
        version("v5", 0.35),
    )
    refused.state = ModelVersion.State.REFUSED
    chart = page(last, second, [last, refused, unmeasured, second, first]).history
    assert chart is not None
    assert [(mark.measured.name, mark.measured.role, bool(mark.measured.url)) for mark in chart.marks] == [
        ("v1", "", True),
        ("v2", "active", True),
        ("v4", "refused", True),
        ("v5", "", False),
    ]
    assert chart.marks[0].measured.url == f"/admin/recommender/modelversion/{first.pk}/change/"


def test_the_gate_is_quoted() -> None:
    assert page(version("v1", 0.3), None, []).verdict == "It passed the gate."
    objected = version("v2", 0.3, gate_reasons=["too few items"])
    assert page(objected, None, []).verdict == "The gate objected, and it was published all the same:"
    objected.state = ModelVersion.State.REFUSED
    shown = page(objected, None, [])
    assert (shown.verdict, shown.refusals) == ("The gate refused it:", ("too few items",))


def test_means_alone_are_shown_without_intervals() -> None:
    older = version("v1", 0.3)
    del older.metrics["reports"]
    shown = page(older, None, [older])
    assert [(row.name, row.cells[0]) for row in shown.tables[0].rows] == [
        ("final list", Cell(value="0.3000", interval="")),
        ("item to item", Cell(value="0.2000", interval="")),
        ("popular", Cell(value="0.1000", interval="")),
    ]
    assert shown.history is not None
    assert shown.history.marks[0].low == ""


def test_a_version_that_could_not_be_measured_has_nothing_to_draw() -> None:
    shown = page(version("v1"), None, [])
    assert (shown.comparison, shown.history, shown.tables, shown.users) == (None, None, (), "")
