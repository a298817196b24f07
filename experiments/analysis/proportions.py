"""The two-proportion z-test, the textbook check beside Welch's test."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from experiments.analysis.sample import Effect, Sample
from experiments.analysis.welch import NO_VARIANCE, TOO_FEW


def two_proportions(control: Sample, treatment: Sample, *, alpha: float = 0.05, pooled: bool = False) -> Effect:
    """Return the absolute difference of two shares with a two-sided z-test.

    `pooled` takes the variance under "no difference" for the p-value; the interval never does.
    """
    if control.n < 2 or treatment.n < 2:
        return Effect.none(TOO_FEW)
    difference = treatment.mean - control.mean
    spread = math.sqrt(
        control.mean * (1 - control.mean) / control.n + treatment.mean * (1 - treatment.mean) / treatment.n
    )
    if spread == 0:
        return Effect.none(NO_VARIANCE)
    share = (control.total + treatment.total) / (control.n + treatment.n)
    standard_error = math.sqrt(share * (1 - share) * (1 / control.n + 1 / treatment.n)) if pooled else spread
    margin = float(ndtri(1 - alpha / 2)) * spread
    return Effect(
        estimate=difference,
        low=difference - margin,
        high=difference + margin,
        standard_error=standard_error,
        p=2 * float(ndtr(-abs(difference) / standard_error)),
    )
