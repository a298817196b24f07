"""What came out: `bench.json`, a table, and those of lines and columns that some figures ask for."""

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
    """Print the tables and, below them, how many targets are met."""
    title = (
        f"{machine['cpus']} CPUs ({machine['cpu model']}), {machine['memory']} GB, Python {machine['python']}, "
        f"load before {machine['load before']}"
    )
    table = Table(title=title, title_justify="left")
    for heading in ("", "value", "", "target", "met"):
        table.add_column(heading, justify="right" if heading in ("value", "target") else "left")
    table.add_column("", style="dim")
    benchmark = ""
    for row in (row for row in rows if row.cell is None):
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
    _show_cells(console, rows)
    judged = [row for row in rows if row.met is not None]
    missed = [row.name for row in judged if not row.met]
    console.print(f"{len(judged) - len(missed)} of {len(judged)} targets met.")
    for name in missed:
        console.print(f"[red]Missed:[/] {name}")


def _show_cells(console: Console, rows: Sequence[Row]) -> None:
    """Print one table for each that `cell` names, lines and columns in the order in which they come."""
    tables: dict[str, dict[str, dict[str, Row]]] = {}
    for row in rows:
        if row.cell:
            tables.setdefault(row.cell.table, {}).setdefault(row.cell.line, {})[row.cell.column] = row
    for title, lines in tables.items():
        columns = list(dict.fromkeys(column for cells in lines.values() for column in cells))
        table = Table(title=title, title_justify="left")
        table.add_column("")
        for column in columns:
            table.add_column(column, justify="right")
        table.add_column("", style="dim")
        for line, cells in lines.items():
            values = [None if column not in cells else cells[column].value for column in columns]
            shown = ["–" if value is None else readable(value) for value in values]
            table.add_row(line, *shown, next(iter(cells.values())).note)
        console.print(table)
