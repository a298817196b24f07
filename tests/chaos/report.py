"""What a run of the matrix came to: one line a row, in chaos.json and chaos.md."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.ledger import Ledger
from tests.chaos.matrix import FAULTS
from tests.chaos.serving_probe import ServingProbe

WAITED_SECONDS = 1.5
"""Lists that come later have waited for what was harmed: statements and hung servers are given up after two seconds or
more. What is aimed at is a fifth of that; the table says what it was, and a busy machine is no fault."""
COLUMNS = ("served", "serve_errors", "acknowledged", "stored", "lost", "doubled")


@dataclass(kw_only=True)
class Line:
    """One test's part in a row."""

    row: int
    test: str = ""
    served: int = 0
    serve_errors: int = 0
    slowest_ms: int = 0
    """The 99th percentile of the lists that were served."""
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    verdict: str = ""
    notes: list[str] = field(default_factory=list)

    def took(self, probe: ServingProbe, *, within: float | None = None) -> None:
        """Note what was served; fail on any error, and where the 99th percentile is later than `within` seconds."""
        p99 = probe.percentile(0.99)
        self.served += len(probe.seconds)
        self.serve_errors += len(probe.errors)
        self.slowest_ms = max(self.slowest_ms, round(1000 * p99))
        assert not probe.errors, f"{len(probe.errors)} of {probe.asked}: {probe.errors[:3]}"
        assert within is None or p99 < within, f"p99 {p99:.3f} s, {within} s are allowed"

    def balanced(self, ledger: Ledger) -> None:
        """Note what became of the events; fail on one that is lost or doubled."""
        found = ledger.balance()
        self.acknowledged += found.acknowledged
        self.stored += found.stored
        self.lost += found.lost
        self.doubled += found.doubled
        assert found.acknowledged > 0
        assert (found.lost, found.doubled) == (0, 0)


def write(lines: list[Line], folder: Path) -> str:
    """Write chaos.json and chaos.md; return the table."""
    table = _table(lines)
    (folder / "chaos.json").write_text(json.dumps([asdict(line) for line in lines], indent=1))
    (folder / "chaos.md").write_text(table)
    return table


def _table(lines: list[Line]) -> str:
    heads = ("row", "fault", *COLUMNS, "p99 ms", "seconds", "verdict", "notes")
    text = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row, name in FAULTS.items():
        parts = [line for line in lines if line.row == row]
        if not parts:
            continue
        verdicts = {part.verdict for part in parts}
        verdict = next((one for one in ("failed", "skipped", "passed") if one in verdicts), "")
        figures = [sum(getattr(part, column) for part in parts) for column in COLUMNS]
        seconds = sum(part.seconds for part in parts)
        slowest = max(part.slowest_ms for part in parts) or ""
        notes = "; ".join(dict.fromkeys(note for part in parts for note in part.notes))
        cells = [row, name, *(figure or "0" for figure in figures), slowest, f"{seconds:.0f}", verdict, notes]
        text.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    figures = [sum(getattr(line, column) for line in lines) for column in COLUMNS]
    text.append("| | all | " + " | ".join(map(str, figures)) + f" | | {sum(line.seconds for line in lines):.0f} | | |")
    return "\n".join(text) + "\n"
