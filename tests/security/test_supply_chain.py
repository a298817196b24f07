"""What is installed is what is locked, listed and allowed; what is written here passes bandit."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution

from recsite.environment import BASE_DIRECTORY
from recsite.operations import bill_of_materials
from tests.security.source import APPS

STRONG_COPYLEFT = re.compile(r"(?<!L)(?<!Lesser )A?GPL", re.IGNORECASE)
SECRET = re.compile(r"BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}|r[ps]_[0-9a-f]{8}_[0-9a-f]{40}")


def is_installed(name: str, version: str) -> bool:
    try:
        return distribution(name).version == version
    except PackageNotFoundError:
        return False


def test_every_locked_package_is_listed_with_its_licence() -> None:
    listed = {one["name"]: one for one in json.loads(bill_of_materials.FILE.read_text())["components"]}
    made = {one["name"]: one for one in bill_of_materials.document()["components"]}
    assert {name: one["version"] for name, one in listed.items()} == {
        name: one["version"] for name, one in made.items()
    }, "run python -m recsite.operations.bill_of_materials"
    installed = [name for name, one in made.items() if is_installed(name, one["version"])]
    assert len(installed) > 60
    for name in installed:
        assert listed[name] == made[name]
    assert [name for name, one in listed.items() if not one.get("licenses")] == []


def test_no_package_of_production_asks_for_our_source() -> None:
    licences = [one.get("licenses", [{}]) for one in json.loads(bill_of_materials.FILE.read_text())["components"]]
    names = [one[0].get("license", {}).get("name", "") for one in licences]
    assert "LGPL-3.0-only" in names  # psycopg: used as a library, unchanged
    assert [name for name in names if STRONG_COPYLEFT.search(name)] == []


def test_lint_runs_bandit_over_every_app() -> None:
    makefile = (BASE_DIRECTORY / "Makefile").read_text()
    assert f"-m bandit --quiet --configfile pyproject.toml --recursive {' '.join(APPS)}\n" in makefile


def test_no_secret_is_in_the_tree() -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=BASE_DIRECTORY, capture_output=True, check=False).stdout
    for name in filter(None, files.decode().split("\0")):
        path = BASE_DIRECTORY / name
        if path.is_file() and path.stat().st_size < 1_000_000:
            assert not SECRET.search(path.read_text(encoding="utf-8", errors="ignore")), name
