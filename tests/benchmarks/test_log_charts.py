from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks import log_charts
from tests.benchmarks.log_charts import HEIGHT, LEFT, TOP, WIDTH


def points(path: Path) -> list[tuple[float, float]]:
    """Return the places of the points, without those of the legend."""
    found = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', path.read_text(encoding="utf-8"))
    placed = [(float(x), float(y)) for x, y in found]
    return [(x, y) for x, y in placed if x <= LEFT + WIDTH]


def test_powers_of_ten_are_equally_far_apart(tmp_path: Path) -> None:
    path = tmp_path / "growth.svg"
    log_charts.curves(path, "Growth", "events", "seconds", {"a": [(10, 1), (100, 10), (1000, 100)]})
    middle = (LEFT + WIDTH / 2, TOP + HEIGHT / 2)
    assert points(path) == [(LEFT, TOP + HEIGHT), middle, (LEFT + WIDTH, TOP)]


def test_shares_stand_between_0_and_1(tmp_path: Path) -> None:
    path = tmp_path / "recall.svg"
    log_charts.curves(path, "Recall", "queries", "recall", {"a & b": [(10, 0.0), (1000, 0.5)]}, log_y=False)
    assert points(path) == [(LEFT, TOP + HEIGHT), (LEFT + WIDTH, TOP + HEIGHT / 2)]
    assert "a &amp; b" in path.read_text(encoding="utf-8")
