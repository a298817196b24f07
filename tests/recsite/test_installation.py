from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recsite import installation


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment in which pip always fails, so that any attempt to install shows."""
    monkeypatch.setattr(installation, "VENV", tmp_path)
    monkeypatch.setattr(installation, "PYTHON", tmp_path / "bin" / "python")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")
    monkeypatch.setattr(installation, "interpreter", lambda: sys.version)
    monkeypatch.setattr(sys, "argv", ["installation.py"])
    return tmp_path


def test_what_is_installed_is_not_touched(venv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installation.set_stamp("packages", installation.key(installation.LOCKS["packages"]))
    installation.set_stamp("annoy", "installed " + installation.key(installation.ANNOY_LOCK))
    before = (venv / "installed.json").read_text()
    installation.main()
    assert capsys.readouterr().out == ""
    assert (venv / "installed.json").read_text() == before


def test_a_changed_lock_is_installed_again(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installation.set_stamp("packages", "of an older lock")
    monkeypatch.setenv("CXX", "/bin/false")
    monkeypatch.setattr(installation, "PIP", ["/bin/sh", "-c", "echo no route to the index; exit 1"])
    with pytest.raises(SystemExit) as caught:
        installation.main()
    assert caught.value.code == "The packages could not be installed.\n  | no route to the index"
    assert installation.stamp("packages") == "of an older lock"


@pytest.mark.parametrize(
    ("compiler", "line"),
    [
        ("no-such-compiler", "there is no C++ compiler 'no-such-compiler'"),
        ("/bin/false", "/bin/false cannot compile for Python: ?"),
    ],
)
def test_without_a_compiler_set_up_goes_on(
    venv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], compiler: str, line: str
) -> None:
    monkeypatch.setenv("CXX", compiler)
    installation.set_stamp("packages", installation.key(installation.LOCKS["packages"]))
    installation.main()
    assert capsys.readouterr().out == f"Going on without Annoy ({line}): exact search is used instead.\n"
    installation.main()
    assert capsys.readouterr().out == "", "A second run must not try again with the same compiler."


def test_a_build_that_fails_is_not_fatal(
    venv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The compiler works, and yet pip comes back with an error."""
    monkeypatch.setattr(installation, "LOG", venv / "installation.log")
    monkeypatch.setattr(installation, "PIP", ["/bin/sh", "-c", "echo no route to the index; exit 1"])
    monkeypatch.setattr(installation, "compiler_fault", lambda: "")
    installation.set_stamp("packages", installation.key(installation.LOCKS["packages"]))
    installation.main()
    assert capsys.readouterr().out.splitlines() == [
        "Building Annoy, the index of large catalogues",
        f"Going on without Annoy (building it failed, see {venv}/installation.log): exact search is used instead.",
    ]
    assert (venv / "installation.log").read_text() == "no route to the index\n"


def test_a_python_without_ensurepip_is_explained(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "interpreter", lambda: "")
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="python3-venv"):
        installation.make_environment()


@pytest.mark.parametrize("lock", [*installation.LOCKS.values(), installation.ANNOY_LOCK], ids=lambda path: path.name)
def test_a_lock_holds_names_versions_and_hashes_only(lock: Path) -> None:
    entry = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( ; [^\\/:]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lock.read_text().splitlines() if not entry.fullmatch(line)] == []


def test_the_locks_agree_on_what_they_share() -> None:
    runtime = set(re.findall(r"^(\S+==\S+)", installation.LOCKS["packages"].read_text(), re.MULTILINE))
    tools = set(re.findall(r"^(\S+==\S+)", installation.LOCKS["tools"].read_text(), re.MULTILINE))
    assert runtime <= tools
    assert not any(name.startswith("annoy==") for name in tools)


def test_it_runs_as_a_script_with_nothing_installed() -> None:
    command = [sys.executable, "-I", "-S", installation.__file__, "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--dev" in told.stdout
