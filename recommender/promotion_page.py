"""What would change if another version served: shown to whoever is about to let it."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.models import ModelVersion
from recommender.registry import publishing
from recommender.training.report import ACCURACY, readable

FIGURES = {**ACCURACY, "coverage": "coverage"}
"""What `ModelVersion.metrics` keeps of the final list → what people call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of both versions, as text."""

    name: str
    now: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template prints."""

    version: ModelVersion
    """What would serve."""
    serving: ModelVersion | None
    obstacle: str
    """Why it cannot serve; empty when it can."""
    lines: tuple[Line, ...]


def page(version: ModelVersion) -> Page:
    """Return what letting `version` serve would change, and what keeps it from serving.

    Whether its files are still what was written is found out when it is let serve: that reads all of them.
    """
    held = publishing.pointer()
    serving = None if held is None else held.version
    return Page(
        version=version,
        serving=serving,
        obstacle=_obstacle(version, serving),
        lines=tuple(_lines(version, serving)),
    )


def _obstacle(version: ModelVersion, serving: ModelVersion | None) -> str:
    if version == serving:
        return f"{version.name} serves already."
    if version.state == ModelVersion.State.REFUSED:
        return (
            f"The gate refused {version.name}, so its files were never written: it cannot serve. If the gate is wrong, "
            "“manage.py rebuild_models --force” publishes a new build whatever the gate says."
        )
    if version.state == ModelVersion.State.RETIRED:
        return f"The files of {version.name} have been removed: it cannot serve any more. Rebuild instead."
    return ""


def _lines(version: ModelVersion, serving: ModelVersion | None) -> list[Line]:
    now, then = (_facts(one) for one in (serving, version))
    return [Line(name=name, now=now.get(name, "–"), then=then.get(name, "–")) for name in {**then, **now}]


def _facts(version: ModelVersion | None) -> dict[str, str]:
    """Return name → what is known of the version, in the order of the page."""
    if version is None:
        return {}
    final = version.metrics.get("final") or {}
    figures = {label: readable(final[name]) for name, label in FIGURES.items() if final.get(name) is not None}
    return {
        "gate": "passed" if not version.gate_reasons else "objected",
        **{f"{label} at 10": figure for label, figure in figures.items()},
        "items": f"{version.items:,}",
        "users": f"{version.users:,}",
        "interactions": f"{version.interactions:,}",
        "built": f"{version.created_at:%Y-%m-%d %H:%M} UTC",
    }
