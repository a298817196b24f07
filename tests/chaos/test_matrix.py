"""Every row of the fault matrix has a test."""

from __future__ import annotations

import re
from pathlib import Path

from tests.chaos.matrix import FAULTS


def test_every_row_has_a_test() -> None:
    marks = re.compile(r"fault\(([\d, ]+)\)")
    found: set[int] = set()
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        found |= {int(row) for rows in marks.findall(path.read_text()) for row in rows.split(",")}
    # Damages are a table by row.
    from tests.chaos.test_model_faults import DAMAGES

    assert found | set(DAMAGES) == set(FAULTS)
