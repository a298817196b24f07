"""Whether a variant's configuration can be applied. Whoever applies it registers how to tell (`recommender.apps`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Mapping[str, Any]], list[str]]
"""Returns one sentence a problem."""

_checks: list[Check] = []


def register(check: Check) -> None:
    """Ask `check`, too, from now on."""
    if check not in _checks:
        _checks.append(check)


def problems(configuration: object) -> list[str]:
    """Return what is wrong with a configuration, one sentence each; empty when it can be applied."""
    if not isinstance(configuration, dict):
        return [f"It must be an object, not {configuration!r}."]
    return [problem for check in _checks for problem in check(configuration)]
