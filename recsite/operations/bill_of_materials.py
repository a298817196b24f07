"""Which packages a production has, by which licence: `python -m recsite.operations.bill_of_materials` writes the list.

CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/), from the lock files and what the installed packages say of
themselves. One that is not installed here (another system's, or an older Python's) keeps the licence it is listed with.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from recsite.environment import BASE_DIRECTORY

LOCKS = ("requirements.lock", "requirements-annoy.lock")
FILE = Path(__file__).with_name("packages.cdx.json")
_ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[0-9a-z.]+)(?P<rest>.*(?:\\\n.*)*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def document() -> dict[str, Any]:
    """Return the bill: one component a package, in the order of the names."""
    listed = {_named(one): one["licenses"] for one in _written() if "licenses" in one}
    entries = [entry for lock in LOCKS for entry in _ENTRY.finditer((BASE_DIRECTORY / lock).read_text())]
    components = [_component(one["name"], one["version"], one["rest"], listed) for one in entries]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "components": sorted(components, key=lambda component: str(component["name"])),
    }


def text() -> str:
    """Return the bill as the file has it."""
    return json.dumps(document(), indent=1) + "\n"


def _written() -> list[dict[str, Any]]:
    components: list[dict[str, Any]] = json.loads(FILE.read_text())["components"] if FILE.exists() else []
    return components


def _named(component: dict[str, Any]) -> tuple[str, str]:
    return component["name"], component["version"]


def _component(name: str, version: str, rest: str, listed: dict[tuple[str, str], Any]) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }
    try:
        found = _licence(metadata(name))
        licences = [{"license": {"name": found}}] if found else None
    except PackageNotFoundError:
        licences = listed.get(_named(component))
    if licences:
        component["licenses"] = licences
    component["properties"] = [{"name": "sha256", "value": value} for value in _HASH.findall(rest)[:1]]
    return component


def _licence(said: PackageMetadata) -> str:
    """Return the licence in one line: its expression, else its classifiers, else the first line of its field."""
    classifiers = [
        one.rpartition(" :: ")[2] for one in said.get_all("Classifier") or () if one.startswith("License :: OSI")
    ]
    expression, field = (next(iter(said.get_all(name) or ()), "") for name in ("License-Expression", "License"))
    return expression or " OR ".join(classifiers) or next(iter(field.strip().splitlines()), "")


if __name__ == "__main__":
    FILE.write_text(text())
