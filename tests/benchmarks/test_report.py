from __future__ import annotations

import json
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks import charts, machine, report, suite
from tests.benchmarks.__main__ import main
from tests.benchmarks.figures import Cell, Row, at_least, at_most

ROWS = [
    Row(name="a: good", value=0.1691234567, unit="", target=at_least(0.15)),
    Row(name="a: plain", value=3.0, unit="s"),
    Row(name="b: slow", value=12.0, unit="ms", target=at_most(10)),
    Row(name="b: absent", value=None, unit="ms", target=at_most(10), note="no data"),
]


def test_bench_json_has_the_stated_shape(tmp_path: Path) -> None:
    report.write(tmp_path / "bench.json", machine.describe(), ROWS)
    written = json.loads((tmp_path / "bench.json").read_text())
    assert set(written["machine"]) >= {"cpus", "cpu model", "memory", "python", "platform"}
    assert written["rows"] == [
        {"name": "a: good", "value": 0.169123, "unit": "", "target": 0.15, "met": True},
        {"name": "a: plain", "value": 3.0, "unit": "s", "target": None, "met": None},
        {"name": "b: slow", "value": 12.0, "unit": "ms", "target": 10, "met": False},
        {"name": "b: absent", "value": None, "unit": "ms", "target": 10, "met": None},
    ]


def test_the_table_says_which_targets_are_missed() -> None:
    written = StringIO()
    report.show(Console(file=written, width=140), machine.describe(), ROWS)
    assert "1 of 2 targets met.\nMissed: b: slow\n" in written.getvalue()
    assert "no data" in written.getvalue()


def test_every_benchmark_in_the_list_exists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [benchmark.name for benchmark in suite.BENCHMARKS]
    assert all(find_spec(f"tests.benchmarks.{name}") for name in listed)


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


def test_a_chart_escapes_what_it_names(tmp_path: Path) -> None:
    charts.bars(tmp_path / "bars.svg", "a <b>", "ms", {"x & y": 2.0, "z": 0.0}, target=4.0)
    drawn = (tmp_path / "bars.svg").read_text()
    assert "a &lt;b&gt;" in drawn
    assert "x &amp; y" in drawn
    assert drawn.count("<rect") == 2


def test_figures_with_a_cell_stand_in_a_table_of_their_own() -> None:
    rows = [
        Row(name="a: x: one: q", value=0.25, unit="", cell=Cell(table="x", line="one", column="q")),
        Row(name="a: x: one: t", value=3.0, unit="s", cell=Cell(table="x", line="one", column="t, s")),
        Row(name="a: x: two: q", value=None, unit="", note="not run: no", cell=Cell(table="x", line="two", column="q")),
    ]
    written = StringIO()
    report.show(Console(file=written, width=140), machine.describe(), rows)
    lines = [" ".join(line.replace("│", " ").split()) for line in written.getvalue().splitlines()]
    assert "one 0.25 3" in lines
    assert "two – – not run: no" in lines
    assert "a: x: one: q" not in written.getvalue()
