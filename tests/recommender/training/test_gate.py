from __future__ import annotations

from typing import Any

import pytest

from recommender.training.gate import judge


def metrics(ndcg: float = 0.2, popular: float = 0.1, coverage: float = 0.5, **recall: float) -> dict[str, Any]:
    return {
        "final": {"ndcg": ndcg, "coverage": coverage},
        "sources": {"popular": {"ndcg": popular}},
        "index_recall": recall,
    }


NOTHING: dict[str, Any] = {"index_recall": {"content": 1.0}}


@pytest.mark.parametrize(
    ("built", "active", "reasons"),
    [
        (metrics(), None, []),
        (metrics(content=0.9), metrics(), []),
        (metrics(0.1801), metrics(0.2), []),
        (metrics(0.1, 0.1), None, []),
        (metrics(coverage=0.005), None, []),
        (metrics(0.1799), metrics(0.2), ["NDCG@10 0.1799 is below 0.9 × the active version's 0.2000"]),
        (metrics(0.0999, 0.1), None, ["NDCG@10 0.0999 is below the popular list's 0.1000"]),
        (metrics(coverage=0.0049), None, ["lists cover 0.0049 of the catalogue; 0.005 needed"]),
        (metrics(content=0.8994), None, ["index content has a recall@10 of 0.899; 0.9 needed"]),
        (metrics(float("nan")), metrics(), ["a metric is not finite"]),
        (
            metrics(0.01, 0.1, 0.001, content=0.5),
            metrics(),
            [
                "index content has a recall@10 of 0.500; 0.9 needed",
                "lists cover 0.0010 of the catalogue; 0.005 needed",
                "NDCG@10 0.0100 is below the popular list's 0.1000",
                "NDCG@10 0.0100 is below 0.9 × the active version's 0.2000",
            ],
        ),
        (NOTHING, None, []),
        (NOTHING, NOTHING, []),
        (NOTHING, {}, []),
        (NOTHING, metrics(), ["nothing could be measured although the active version was"]),
        (metrics(), NOTHING, []),
    ],
)
def test_each_reason_to_refuse_is_said(
    built: dict[str, Any], active: dict[str, Any] | None, reasons: list[str]
) -> None:
    verdict = judge(built, active, has_events=True)
    assert verdict.reasons == reasons
    assert verdict.passed == (not reasons)


def test_a_build_without_events_says_so() -> None:
    verdict = judge(NOTHING, metrics(), has_events=False)
    assert verdict.reasons == ["nothing could be measured although the active version was (there are no events)"]


def test_the_limits_are_a_setting(settings: Any) -> None:
    settings.RECOMMENDER_GATE = {"minimum_share_of_active": 0.5, "minimum_coverage": 0.9, "minimum_recall": 0.1}
    built = metrics(0.1, coverage=0.8, content=0.2)
    assert judge(built, metrics(0.2), has_events=True).reasons == ["lists cover 0.8000 of the catalogue; 0.9 needed"]
