"""What happened in each stage of one request: for `?explain=1`, the admin and metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Histogram

from recommender.arrays import RowArray

STAGE_SECONDS = Histogram(
    "recommender_stage_seconds",
    "Time of one stage in making one list; lists shown again from the cache have none.",
    ["kind", "stage"],
    buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)


@dataclass(slots=True)
class Step:
    """One stage's run."""

    kind: str
    stage: str
    went_in: int = 0
    came_out: int = 0
    milliseconds: float = 0.0
    error: str = ""
    removed: Callable[[], list[str]] = list
    """Gives the external ids that a filter or rule removed (at most 50); few traces are read."""
    rows: RowArray | None = field(default=None, repr=False, compare=False)
    """Catalogue rows that came out, in their order; None where the stage hands none on."""
    _started: float = field(default=0.0, init=False, repr=False, compare=False)

    def __enter__(self) -> Step:
        self._started = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        seconds = time.perf_counter() - self._started
        self.milliseconds = round(seconds * 1000, 3)
        STAGE_SECONDS.labels(self.kind, self.stage).observe(seconds)


@dataclass(slots=True)
class Trace:
    """The steps of one run, in the order they ran."""

    steps: list[Step] = field(default_factory=list)

    def step(self, kind: str, stage: str, went_in: int = 0) -> Step:
        """Return the next step, which times the `with` block it opens; the caller fills in what came out."""
        step = Step(kind, stage, went_in)
        self.steps.append(step)
        return step

    @property
    def errors(self) -> list[str]:
        """The failures that the run went on without."""
        return [f"{step.stage}: {step.error}" for step in self.steps if step.error]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "milliseconds": round(sum(step.milliseconds for step in self.steps), 3),
            "stages": [
                {
                    "kind": step.kind,
                    "stage": step.stage,
                    "in": step.went_in,
                    "out": step.came_out,
                    "milliseconds": step.milliseconds,
                    "removed": step.removed(),
                    "error": step.error,
                }
                for step in self.steps
            ],
        }
