from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from tests.benchmarks import charts


def test_lines_go_through_their_points_between_axes_from_zero(tmp_path: Path) -> None:
    charts.lines(
        tmp_path / "chart.svg", "Memory", "minutes", "MB", {"web": [(0, 0), (5, 100), (10, 50)], "beat": [(10, 0)]}
    )
    text = (tmp_path / "chart.svg").read_text()
    ElementTree.fromstring(text)  # noqa: S314 -- our own
    web, beat = re.findall(r'<polyline points="([^"]*)"', text)
    # The largest value stands a twentieth short of the end: 560 and 320 units of 10.5 minutes and 105 MB.
    assert web == "70.0,376.0 336.7,71.2 603.3,223.6"
    assert beat == "603.3,376.0"
    assert [name for name in ("Memory", "minutes", "MB", "web", "beat") if f">{name}<" not in text] == []
