"""What happened in each stage of one request: for `?explain=1`, the admin and metrics."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Step:
    """One stage's run."""

    kind: str
    stage: str
    went_in: int = 0
    came_out: int = 0
    milliseconds: float = 0.0
    error: str = ""
    removed: list[str] = field(default_factory=list)
    """External ids that a filter or rule removed (at most 50 are kept)."""


@dataclass(slots=True)
class Trace:
    """The steps of one run, in the order they ran."""

    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, kind: str, stage: str, went_in: int = 0) -> Iterator[Step]:
        """Time a stage; the caller fills in what came out."""
        step = Step(kind, stage, went_in)
        self.steps.append(step)
        started = time.perf_counter()
        try:
            yield step
        finally:
            step.milliseconds = round((time.perf_counter() - started) * 1000, 3)

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
                    "removed": step.removed,
                    "error": step.error,
                }
                for step in self.steps
            ],
        }
