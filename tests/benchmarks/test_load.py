"""Those who ask under load come as the simulated audience does: the same ones, and no request twice."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.benchmarks import load, soak
from tests.benchmarks.load import PERSONAL, Calls

USERS = [f"user-{number}" for number in range(300)]
ITEMS = [f"item-{number}" for number in range(9_000)]


def test_few_ask_often_and_nobody_for_the_same_list_again() -> None:
    first, second = Calls(USERS, ITEMS), Calls(USERS, ITEMS)
    asked = [*first.of(PERSONAL), *first.of(PERSONAL)]
    assert len(set(asked)) == len(asked) == 2 * load.MOST_IN_A_ROUND
    assert asked[:100] == second.of(PERSONAL)[:100]
    counts = sorted(Counter(call.path.partition("?")[0] for call in asked).values(), reverse=True)
    # Sessions are log-normal with sigma 1.2: of the most active tenth come about 45 %, not 10 %.
    assert 0.3 < sum(counts[:30]) / len(asked) < 0.6


@pytest.mark.parametrize("usual", [soak.USUAL, soak.MANY])
def test_mixed_requests_are_the_same_every_time_but_for_when_events_happen(
    usual: soak.Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "CALLS", 500)
    first, second = (soak.mixed(USERS, ITEMS, usual) for _ in range(2))
    assert [call.path for call in first] == [call.path for call in second]
    assert len(first) == soak.CALLS
    kinds = Counter(call.path.split("?")[0].split("/")[3] for call in first)
    assert kinds["events"] / soak.CALLS > 0.1
