"""What the OpenAPI document says about experiments; its example found its variant better."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

TAG = "Experiments"
LARGEST_PHASE = 2**31 - 1
"""What Postgres' integer holds."""
EXPERIMENT_ID = OpenApiParameter(
    "experiment_id",
    {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$"},
    OpenApiParameter.PATH,
    description="The experiment's id, as admin shows it.",
)
PHASE = OpenApiParameter(
    "phase",
    {"type": "integer", "minimum": 1, "maximum": LARGEST_PHASE},
    description="An earlier phase; without it the current one.",
)
REFUSED = OpenApiResponse(description="It cannot be analysed yet (`analysis_refused`).")


def _effect(estimate: float, low: float, high: float, p: float) -> dict[str, Any]:
    error = round((high - low) / 3.92, 4)
    return {"estimate": estimate, "low": low, "high": high, "standard_error": error, "p": p, "message": ""}


REPORT = OpenApiExample(
    "A variant that is better",
    value={
        "experiment_id": "homepage-recipe",
        "name": "A fresher home page",
        "kind": "split",
        "status": "running",
        "phase": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": None,
        "generated_at": "2026-01-15T00:00:00Z",
        "alpha": 0.05,
        "planned_users": 20000,
        "is_final": True,
        "decision": "better",
        "verdict": "fresh is better: clicked_any +9.8 %.",
        "sample_ratio": {"p": 0.62, "is_broken": False, "is_testable": True},
        "arms": [
            {"variant": "control", "weight": 0.5, "users": 10030, "expected_users": 10000.0},
            {"variant": "fresh", "weight": 0.5, "users": 9970, "expected_users": 10000.0},
        ],
        "multiple_users": 3,
        "warnings": [],
        "metrics": [
            {
                "name": "clicked_any",
                "kind": "proportion",
                "is_primary": True,
                "higher_is_better": True,
                "arms": [
                    {"variant": "control", "users": 10030, "mean": 0.204},
                    {"variant": "fresh", "users": 9970, "mean": 0.224},
                ],
                "comparisons": [
                    {
                        "variant": "fresh",
                        "relative": _effect(0.098, 0.041, 0.155, 0.0007),
                        "absolute": _effect(0.02, 0.0086, 0.0314, 0.0006),
                        "relative_always": _effect(0.098, 0.012, 0.184, 0.019),
                        "absolute_always": _effect(0.02, 0.0025, 0.0375, 0.018),
                        "p_adjusted": 0.0007,
                        "chance_to_win": 0.9997,
                        "risk": 0.000001,
                    }
                ],
            }
        ],
        "preferences": [],
        "users_needed": 14749,
        "looks": [
            {
                "day": "2026-01-15",
                "users": {"control": 10030, "fresh": 9970},
                "effects": {"fresh": _effect(0.02, 0.0025, 0.0375, 0.018)},
            }
        ],
        "segments": [],
        "split_by": [],
    },
    response_only=True,
)
