"""What is kept of one arm's values of one metric: enough for means, variances and tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Sums over the units of an arm, one value a unit."""

    n: int
    """Units, with or without an event."""
    total: float
    total_squares: float
    is_proportion: bool = False
    """Values are 0 or 1: the variance is p(1-p)."""
    raw_mean: float | None = None
    """Mean before an adjustment (`cuped`), which relative effects are a share of; None: nothing was adjusted."""

    @staticmethod
    def of_proportion(n: int, successes: int) -> Sample:
        """Return the sample of `successes` ones among `n` values."""
        return Sample(n=n, total=successes, total_squares=successes, is_proportion=True)

    @staticmethod
    def of_ratio(
        n: int, *, total: float, squares: float, per_total: float, per_squares: float, products: float
    ) -> Sample:
        """Return the sample of a ratio Σy / Σd whose units are users, not events, by the delta method.

        Each user stands for r + (y - r d) / mean(d): their mean is the ratio r, their variance over n its own
        (Deng, Knoblich and Lu, "Applying the delta method in metric analytics", 2018). Over nothing it is 0, without
        variance.

        Parameters
        ----------
        total, squares, per_total, per_squares, products
            Σy, Σy², Σd, Σd² and Σyd over the users.
        """
        if not per_total:
            return Sample(n=n, total=0.0, total_squares=0.0)
        ratio, per_mean = total / per_total, per_total / n
        left_over = squares - 2 * ratio * products + ratio * ratio * per_squares
        return Sample(n=n, total=n * ratio, total_squares=n * ratio * ratio + left_over / per_mean**2)

    @property
    def mean(self) -> float:
        """Mean a unit; 0 for no units."""
        return self.total / self.n if self.n else 0.0

    @property
    def baseline(self) -> float:
        """Mean a unit as it was observed."""
        return self.mean if self.raw_mean is None else self.raw_mean

    @property
    def variance(self) -> float:
        """Variance between units; 0 for fewer than two. Below 0 only when the sums contradict each other."""
        if self.n < 2:
            return 0.0
        if self.is_proportion:
            return self.mean * (1 - self.mean)
        return (self.total_squares - self.total * self.total / self.n) / (self.n - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The difference between a variant and the control, with its uncertainty."""

    estimate: float
    """Relative: 0.05 is 5 % more than the control. Absolute: in the metric's unit."""
    low: float
    high: float
    """Confidence interval; -inf or inf on the open side of a one-sided test."""
    standard_error: float
    p: float
    """1.0 when there is nothing to test (see `message`)."""
    message: str = ""
    """Why there is no test; "" when there is one."""

    @staticmethod
    def none(message: str) -> Effect:
        """Return "nothing to say", for the reason given."""
        return Effect(estimate=0.0, low=0.0, high=0.0, standard_error=0.0, p=1.0, message=message)
