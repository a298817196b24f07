"""What a benchmark finds: rows of a name, a value and perhaps a target, and figures of many measured times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Target:
    """What a value must reach."""

    value: float
    at_most: bool = False

    def met_by(self, value: float) -> bool:
        """Return whether `value` is good enough; the target itself is."""
        return bool(value <= self.value if self.at_most else value >= self.value)

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {readable(self.value)}"


def at_least(value: float) -> Target:
    """Return the target of a figure that should be high."""
    return Target(value)


def at_most(value: float) -> Target:
    """Return the target of a figure that should be low."""
    return Target(value, at_most=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where a figure stands in a table of its own, of lines and columns."""

    table: str
    line: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure."""

    name: str
    """`benchmark: what`, stable: a later run is compared with it by name."""
    value: float | None
    """None: not measured, `note` says why."""
    unit: str
    target: Target | None = None
    note: str = ""
    """For the table only."""
    cell: Cell | None = None
    """None: a line of the common table."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target or a value."""
        if self.target is None or self.value is None:
            return None
        return self.target.met_by(self.value)


def readable(value: float) -> str:
    """Return a figure with as many digits as say something."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4g}"


def milliseconds(name: str, seconds: Sequence[float], *, targets: dict[int, Target] | None = None) -> list[Row]:
    """Return the rows `name p50`, `p95` and `p99` of measured times; `targets` by percentile, in milliseconds."""
    return [
        Row(
            name=f"{name} p{share}",
            value=float(np.percentile(seconds, share)) * 1000,
            unit="ms",
            target=(targets or {}).get(share),
        )
        for share in (50, 95, 99)
    ]
