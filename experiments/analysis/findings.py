"""What a report consists of. Frozen; nothing here computes anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from experiments.analysis.sample import Effect

Decision = Literal["broken", "too_early", "no_difference", "better", "worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A variant's part in the split."""

    variant: str
    weight: float
    """Intended share, 0..1."""
    users: int
    """Users exposed to it and to no other variant."""
    expected_users: float
    """What the weight would give it of all users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether the arms have the sizes they were meant to have."""

    p: float
    is_broken: bool
    is_testable: bool
    """False while too few users have been seen for the test to be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One variant against the control in one metric."""

    variant: str
    relative: Effect
    """Share of the control's mean; fixed horizon."""
    absolute: Effect
    """In the metric's unit; fixed horizon."""
    relative_always: Effect
    """As `relative`, valid at every look."""
    absolute_always: Effect
    """As `absolute`, valid at every look."""
    p_adjusted: float
    """What the verdict rests on: of the absolute difference, at a fixed horizon if `Report.is_final` and always-valid
    if not, Holm-corrected over the metrics' family."""
    chance_to_win: float
    """Posterior probability, flat prior, that the mean is above the control's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmValue:
    """A variant's value of a metric."""

    variant: str
    users: int
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """One metric over all variants."""

    name: str
    kind: str
    """"proportion" or "mean"."""
    is_primary: bool
    higher_is_better: bool
    arms: tuple[ArmValue, ...]
    comparisons: tuple[Comparison, ...]
    """One a variant other than the control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is known of one phase of an experiment."""

    experiment_id: str
    name: str
    status: str
    phase: int
    started_at: datetime
    ended_at: datetime | None
    generated_at: datetime
    alpha: float
    planned_users: int | None
    is_final: bool
    """The fixed-horizon test decides; else the always-valid one."""
    decision: Decision
    verdict: str
    """One or two sentences for people."""
    sample_ratio: SampleRatio
    arms: tuple[Arm, ...]
    multiple_users: int
    """Users exposed to more than one variant; left out of everything else."""
    warnings: tuple[str, ...]
    metrics: tuple[MetricResult, ...]
    """The primary metric first; empty while the split is broken."""
