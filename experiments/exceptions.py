"""What experiments raise on purpose.

ExperimentError
├── UnknownExperiment       nothing has this id, or this phase never ran
├── ExperimentRefused       the experiment is not in a state that allows this; nothing was changed
└── AnalysisRefused         the numbers given cannot answer the question asked
"""

from __future__ import annotations

from collections.abc import Sequence


class ExperimentError(Exception):
    """Base of all. `code` is what the API shows."""

    code = "experiment_error"


class UnknownExperiment(ExperimentError):
    """There is no such experiment or phase."""

    code = "experiment_unknown"

    def __init__(self, experiment_id: str, phase: int | None = None) -> None:
        super().__init__(
            f"There is no experiment {experiment_id!r}."
            if phase is None
            else f"Experiment {experiment_id!r} has not begun its phase {phase}."
        )
        self.experiment_id = experiment_id
        self.phase = phase


class ExperimentRefused(ExperimentError):
    """A verb of `lifecycle` was refused. `reasons` has one sentence a problem."""

    code = "experiment_refused"

    def __init__(self, experiment_id: str, reasons: Sequence[str]) -> None:
        super().__init__(f"Experiment {experiment_id!r}: " + " ".join(reasons))
        self.experiment_id = experiment_id
        self.reasons = tuple(reasons)


class AnalysisRefused(ExperimentError):
    """An estimate would be wrong or meaningless for this input."""

    code = "analysis_refused"
