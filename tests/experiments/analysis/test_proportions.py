from __future__ import annotations

import pytest

from experiments.analysis.proportions import two_proportions
from experiments.analysis.sample import Sample
from experiments.analysis.welch import NO_VARIANCE, TOO_FEW

CONTROL, TREATMENT = Sample.of_proportion(100, 40), Sample.of_proportion(100, 50)


def test_pooled() -> None:
    """R8."""
    effect = two_proportions(CONTROL, TREATMENT, pooled=True)
    assert effect.estimate / effect.standard_error == pytest.approx(1.42133811, abs=5.1e-9)
    assert effect.p == pytest.approx(0.15521848, abs=1e-8)


def test_unpooled() -> None:
    """R8."""
    effect = two_proportions(CONTROL, TREATMENT)
    assert (effect.p, effect.low, effect.high) == pytest.approx((0.153127, -0.037197, 0.237197), abs=5.1e-7)


def test_what_cannot_be_tested_is_said() -> None:
    assert two_proportions(Sample.of_proportion(1, 1), TREATMENT).message == TOO_FEW
    assert two_proportions(Sample.of_proportion(9, 0), Sample.of_proportion(9, 9)).message == NO_VARIANCE
