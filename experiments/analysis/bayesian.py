"""A second view: the chance that a variant beats the control, and what is lost if it does not.

Normal likelihood of the difference, normal prior (GrowthBook's effect-based test).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtr, ndtri

from experiments.analysis.sample import Sample
from experiments.analysis.welch import estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is believed of an effect before the data."""

    mean: float = 0.0
    variance: float = math.inf
    """inf: nothing is believed (flat)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What is believed of an effect after the data."""

    estimate: float
    low: float
    high: float
    chance_to_win: float
    """Probability that the effect is above 0."""
    risk_of_control: float
    """Expected loss of staying with the control: E[max(effect, 0)]."""
    risk_of_treatment: float
    """Expected loss of taking the treatment: E[max(-effect, 0)]."""
    message: str = ""
    """Why nothing was learnt; "" when something was."""


FLAT = Prior()


def posterior(
    control: Sample, treatment: Sample, *, relative: bool = True, alpha: float = 0.05, prior: Prior = FLAT
) -> Posterior:
    """Return the treatment's effect as a normal posterior; 1 - alpha is the interval's probability.

    Without two units an arm, variance or a baseline the chance is 0.5 and `message` says why.
    """
    estimated = estimate(control, treatment, relative=relative)
    if isinstance(estimated, str):
        return Posterior(
            estimate=0.0, low=0.0, high=0.0, chance_to_win=0.5, risk_of_control=0.0, risk_of_treatment=0.0,
            message=estimated,
        )  # fmt: skip
    difference, standard_error = estimated
    data_precision, prior_precision = standard_error**-2, 1 / prior.variance
    mean = (difference * data_precision + prior.mean * prior_precision) / (data_precision + prior_precision)
    deviation = (data_precision + prior_precision) ** -0.5
    margin = float(ndtri(1 - alpha / 2)) * deviation
    gain, loss = expected_gain_and_loss(mean, deviation)
    return Posterior(
        estimate=mean,
        low=mean - margin,
        high=mean + margin,
        chance_to_win=float(ndtr(mean / deviation)),
        risk_of_control=gain,
        risk_of_treatment=loss,
    )


def expected_gain_and_loss(mean: float, deviation: float) -> tuple[float, float]:
    """Return (E[max(x, 0)], E[max(-x, 0)]) of x ~ Normal(mean, deviation²), deviation > 0."""
    z = mean / deviation
    # exp underflows to 0 for a huge z, as it should; z * z itself would overflow first beyond 1e154.
    density = math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi) if abs(z) < 1e3 else 0.0
    gain = mean * float(ndtr(z)) + deviation * density
    loss = -mean * float(ndtr(-z)) + deviation * density
    return max(gain, 0.0), max(loss, 0.0)
