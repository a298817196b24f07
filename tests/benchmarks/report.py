"""What came out: `bench.json` and a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Row, readable

Machine = dict[str, str | int | float]


def document(machine: Machine, rows: Sequence[Row]) -> dict[str, Any]:
    """Return what `bench.json` holds; target and met are null for a row without a target."""
    return {
        "machine": machine,
        "rows": [
            {
                "name": row.name,
                "value": None if row.value is None else float(f"{row.value:.6g}"),
                "unit": row.unit,
                "target": row.target.value if row.target else None,
                "met": row.met,
            }
            for row in rows
        ],
    }


def write(path: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Write `bench.json`."""
    path.write_text(json.dumps(document(machine, rows), indent=2) + "\n", encoding="utf-8")


def show(console: Console, machine: Machine, rows: Sequence[Row]) -> None:
    """Print the table and, below it, how many targets are met."""
    title = (
        f"{machine['cpus']} CPUs ({machine['cpu model']}), {machine['memory']} GB, Python {machine['python']}, "
        f"load before {machine['load before']}"
    )
    table = Table(title=title, title_justify="left")
    for heading in ("", "value", "", "target", "met"):
        table.add_column(heading, justify="right" if heading in ("value", "target") else "left")
    table.add_column("", style="dim")
    benchmark = ""
    for row in rows:
        if row.name.partition(":")[0] != benchmark:
            table.add_section()
            benchmark = row.name.partition(":")[0]
        table.add_row(
            row.name,
            "–" if row.value is None else readable(row.value),
            row.unit,
            str(row.target or ""),
            {True: "[green]yes[/]", False: "[red]MISSED[/]", None: ""}[row.met],
            row.note,
        )
    console.print(table)
    judged = [row for row in rows if row.met is not None]
    missed = [row.name for row in judged if not row.met]
    console.print(f"{len(judged) - len(missed)} of {len(judged)} targets met.")
    for name in missed:
        console.print(f"[red]Missed:[/] {name}")
