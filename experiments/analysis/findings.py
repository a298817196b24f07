"""What a report consists of. Frozen; nothing here computes anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
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
    if not, corrected over the metrics' family as the experiment declares."""
    chance_to_win: float
    """Posterior probability, flat prior, that the mean is above the control's."""
    risk: float
    """What is lost on average, in the metric's unit, by taking the variant should its mean be below the control's."""


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
    """"proportion", "mean" or "ratio"."""
    is_primary: bool
    higher_is_better: bool
    arms: tuple[ArmValue, ...]
    comparisons: tuple[Comparison, ...]
    """One a variant other than the control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the primary metric said at the end of a day."""

    day: date
    users: dict[str, int]
    """Variant → users exposed so far."""
    effects: dict[str, Effect]
    """Variant → absolute difference, valid at every look; without the control."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The primary metric among the users of one country. To look for reasons: nothing is decided by it."""

    country: str
    """"" is not known."""
    arms: tuple[ArmValue, ...]
    comparisons: tuple[Comparison, ...]
    """Corrected over the segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOf:
    """The split among the users with one value of a dimension."""

    dimension: str
    """"country", "device" or "app_version"."""
    value: str
    """"" is not known."""
    users: dict[str, int]
    p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One variant against the control in lists that mix them; the unit is the user."""

    variant: str
    users_for_control: int
    """Users who chose more of the control's places."""
    users_for_variant: int
    ties: int
    """Users who chose as many of both, and some."""
    share: float
    """Of the users with a preference, those for the variant; 0.5 when there is none."""
    lead: float
    """Mean over users of (variant's - control's) / both places chosen, -1 to 1."""
    low: float
    high: float
    """Interval of `lead`, valid at every look; what the verdict rests on."""
    p_sign: float
    """Exact sign test of one look."""
    p_t: float
    """Paired t-test of `lead` of one look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is known of one phase of an experiment."""

    experiment_id: str
    name: str
    kind: str
    """"split" or "interleaving"."""
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
    metrics: tuple[MetricResult, ...] = ()
    """The primary metric first; empty while the split is broken."""
    preferences: tuple[Preference, ...] = ()
    """Of interleaved lists; such an experiment has no metrics, and a split has no preferences."""
    users_needed: int | None = None
    """Users a variant needs to find the declared smallest effect with a power of 0.8, by what the control has shown;
    None where no effect was declared or nothing is known yet."""
    looks: tuple[Look, ...] = ()
    """One a day; empty for a ratio and while the split is broken."""
    segments: tuple[Segment, ...] = ()
    """The largest countries first; empty while the split is broken."""
    split_by: tuple[SplitOf, ...] = ()
    """Where a broken split is broken, the least probable first; empty while it is not."""
