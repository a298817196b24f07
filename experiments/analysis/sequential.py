"""Intervals and p-values that stay valid however often one looks.

Asymptotic confidence sequences: Waudby-Smith et al., "Time-uniform central limit theory and asymptotic confidence
sequences" (eq. 9, tuned by eq. 155/161).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from experiments.analysis.sample import Effect, Sample
from experiments.analysis.welch import estimate

TUNED_FOR = 5000
"""Total units at which the interval is narrowest, unless the experiment declares its own plan (GrowthBook's N*)."""


def rho(alpha: float, tuned_for: float = TUNED_FOR) -> float:
    """Return the mixture's scale that makes the sequence narrowest near `tuned_for` units in all."""
    return math.sqrt((-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuned_for)


def half_width(n: int, standard_deviation: float, alpha: float = 0.05, tuned_for: float = TUNED_FOR) -> float:
    """Return half the width of the interval of a mean.

    Parameters
    ----------
    n
        Units so far, both arms together.
    standard_deviation
        Of one unit's contribution: the estimate's standard error times √n.
    """
    scaled = n * rho(alpha, tuned_for) ** 2
    return standard_deviation * math.sqrt(2 * (scaled + 1) / (n * scaled) * math.log(math.sqrt(scaled + 1) / alpha))


def always_valid(
    control: Sample,
    treatment: Sample,
    *,
    relative: bool = True,
    alpha: float = 0.05,
    tuned_for: float = TUNED_FOR,
) -> Effect:
    """Return the treatment's effect with an interval that holds at all looks together with probability 1 - alpha.

    The p-value inverts the interval: p < alpha exactly when 0 lies outside. See `welch.compare` for `relative` and for
    when there is only a message. `tuned_for` must be chosen before the start.
    """
    estimated = estimate(control, treatment, relative=relative)
    if isinstance(estimated, str):
        return Effect.none(estimated)
    difference, standard_error = estimated
    n = control.n + treatment.n
    margin = half_width(n, standard_error * math.sqrt(n), alpha, tuned_for)
    scaled = n * rho(alpha, tuned_for) ** 2
    z = difference / standard_error
    p = min(1.0, math.sqrt(scaled + 1) * math.exp(-z * z * scaled / (2 * (scaled + 1))))
    return Effect(
        estimate=difference, low=difference - margin, high=difference + margin, standard_error=standard_error, p=p
    )


def running_minimum(p_values: Iterable[float]) -> list[float]:
    """Return the always-valid p after each look: it never rises again."""
    smallest = 1.0
    return [smallest := min(smallest, p) for p in p_values]
