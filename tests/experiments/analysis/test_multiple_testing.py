from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.multiple_testing import benjamini_hochberg, holm

P_VALUES = [0.01, 0.04, 0.03, 0.005]


def test_holm() -> None:
    """R8."""
    assert holm(P_VALUES) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg() -> None:
    """R8."""
    assert benjamini_hochberg(P_VALUES) == pytest.approx([0.02, 0.04, 0.04, 0.02])


@given(st.lists(st.floats(0, 1), max_size=10))
def test_adjusting_keeps_the_order_and_never_lowers_a_p_value(p_values: list[float]) -> None:
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p_values)
        assert len(adjusted) == len(p_values)
        pairs = sorted(zip(p_values, adjusted, strict=True))
        assert [after for _, after in pairs] == sorted(adjusted)
        assert all(before <= after + 1e-15 and after <= 1 for before, after in pairs)
