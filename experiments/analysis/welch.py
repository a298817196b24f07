"""Welch's t-test between two arms, of the absolute or the relative difference.

Absolute: Welch (1947). Relative: d = (m_t - m_c) / |m_c| with the delta method's variance
    v_t / (n_t m_c²) + v_c m_t² / (n_c m_c⁴),
and Welch–Satterthwaite's degrees of freedom for both. These are the formulas of GrowthBook's `gbstats`.
"""

from __future__ import annotations

import math
from typing import Literal

from scipy.special import stdtr, stdtrit

from experiments.analysis.sample import Effect, Sample

Alternative = Literal["two-sided", "greater", "less"]

TOO_FEW = "Each arm needs at least two users."
NO_BASELINE = "The control's mean is zero: a relative difference does not exist."
NO_VARIANCE = "Zero or negative variance: there is nothing to test."


def compare(
    control: Sample,
    treatment: Sample,
    *,
    relative: bool = True,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
) -> Effect:
    """Return the treatment's effect with a fixed-horizon interval and p-value.

    Valid for one look at a moment fixed beforehand; for looks at any time see `sequential.always_valid`.

    Parameters
    ----------
    relative
        True: as a share of the control's mean. False: in the metric's own unit.
    alpha
        1 - confidence level, 0..1.
    alternative
        "greater": the treatment is larger (interval open above); "less": smaller (open below).

    Returns
    -------
    Effect
        With `message` set and p = 1 when an arm has fewer than two units, no variance, or the baseline is 0.
    """
    estimated = estimate(control, treatment, relative=relative)
    if isinstance(estimated, str):
        return Effect.none(estimated)
    difference, standard_error = estimated
    freedom = degrees_of_freedom(control, treatment)
    t = difference / standard_error
    if alternative == "two-sided":
        margin = float(stdtrit(freedom, 1 - alpha / 2)) * standard_error
        p, low, high = 2 * float(stdtr(freedom, -abs(t))), difference - margin, difference + margin
    else:
        margin = float(stdtrit(freedom, 1 - alpha)) * standard_error
        if alternative == "greater":
            p, low, high = float(stdtr(freedom, -t)), difference - margin, math.inf
        else:
            p, low, high = float(stdtr(freedom, t)), -math.inf, difference + margin
    return Effect(estimate=difference, low=low, high=high, standard_error=standard_error, p=p)


def estimate(control: Sample, treatment: Sample, *, relative: bool) -> tuple[float, float] | str:
    """Return (difference, its standard error), or the sentence why there is none."""
    if control.n < 2 or treatment.n < 2:
        return TOO_FEW
    # Rounding of the sums leaves a residue of either sign where all values are equal.
    if any(arm.variance <= 1e-12 * arm.total_squares / arm.n for arm in (control, treatment)):
        return NO_VARIANCE
    difference = treatment.mean - control.mean
    if not relative:
        return difference, math.sqrt(control.variance / control.n + treatment.variance / treatment.n)
    baseline = control.baseline
    if baseline == 0:
        return NO_BASELINE
    variance = (
        treatment.variance / (treatment.n * baseline**2)
        + control.variance * treatment.baseline**2 / (control.n * baseline**4)
    )  # fmt: skip
    return difference / abs(baseline), math.sqrt(variance)


def degrees_of_freedom(control: Sample, treatment: Sample) -> float:
    """Return Welch–Satterthwaite's degrees of freedom."""
    control_part = control.variance / control.n
    treatment_part = treatment.variance / treatment.n
    return (control_part + treatment_part) ** 2 / (
        control_part**2 / (control.n - 1) + treatment_part**2 / (treatment.n - 1)
    )
