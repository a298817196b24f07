"""CUPED: take out of a metric what was already known of each user before his exposure.

Deng et al., "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data" (2013):
y' = y - theta (x - mean(x)) with theta = cov(x, y) / var(x) over both arms; the variance falls to 1 - rho² of itself.
A covariate that the treatment could have touched would bias the effect, so one observed after exposure is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.analysis.sample import Sample
from experiments.exceptions import AnalysisRefused

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedSample:
    """Sums of an outcome y and a covariate x over the units of an arm."""

    n: int
    y: float
    y_squares: float
    x: float
    x_squares: float
    xy: float


def paired_sample(
    outcome: FloatArray, covariate: FloatArray, *, observed_until: FloatArray, exposed_at: FloatArray
) -> PairedSample:
    """Sum up one arm.

    Parameters
    ----------
    outcome, covariate
        (units,) float64.
    observed_until
        (units,) POSIX seconds of the last thing that went into the unit's covariate; nan where nothing did.
    exposed_at
        (units,) POSIX seconds of the unit's first exposure.

    Raises
    ------
    AnalysisRefused
        A covariate saw something at or after its unit's exposure.
    """
    late = int(np.count_nonzero(observed_until >= exposed_at))
    if late:
        raise AnalysisRefused(
            f"The covariate of {late} of {len(outcome)} units was observed after their exposure; "
            "only what happened before it may be used."
        )
    return PairedSample(
        n=len(outcome),
        y=float(outcome.sum()),
        y_squares=float(outcome @ outcome),
        x=float(covariate.sum()),
        x_squares=float(covariate @ covariate),
        xy=float(covariate @ outcome),
    )


def adjust(control: PairedSample, treatment: PairedSample) -> tuple[Sample, Sample]:
    """Return both arms with the covariate taken out, ready for `welch.compare` and `sequential.always_valid`.

    Relative effects stay shares of what the control's users really did. A covariate without variance changes nothing.
    """
    slope = theta(control, treatment)
    n = control.n + treatment.n
    center = (control.x + treatment.x) / n if n else 0.0
    return _adjusted(control, slope, center), _adjusted(treatment, slope, center)


def theta(control: PairedSample, treatment: PairedSample) -> float:
    """Return the slope of y on x, pooled over the deviations from each arm's own mean; 0 without variance."""
    covariance = _deviations(control, control.x, control.y, control.xy) + _deviations(
        treatment, treatment.x, treatment.y, treatment.xy
    )
    variance = _deviations(control, control.x, control.x, control.x_squares) + _deviations(
        treatment, treatment.x, treatment.x, treatment.x_squares
    )
    return covariance / variance if variance > 0 else 0.0


def _deviations(arm: PairedSample, first: float, second: float, products: float) -> float:
    return products - first * second / arm.n if arm.n else 0.0


def _adjusted(arm: PairedSample, slope: float, center: float) -> Sample:
    # z = y - slope * x + shift, summed in closed form.
    shift = slope * center
    total = arm.y - slope * arm.x + arm.n * shift
    squares = (
        arm.y_squares + slope**2 * arm.x_squares + arm.n * shift**2
        - 2 * slope * arm.xy + 2 * shift * arm.y - 2 * slope * shift * arm.x
    )  # fmt: skip
    return Sample(n=arm.n, total=total, total_squares=squares, raw_mean=arm.y / arm.n if arm.n else 0.0)
