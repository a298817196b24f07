"""The product's own Python, parsed: what runs at a customer's, without tests."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache

from recsite.environment import BASE_DIRECTORY

APPS = ("recsite", "recommender", "experiments", "interactions", "catalog")


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Return path and tree of every module."""
    paths = [path for app in APPS for path in sorted((BASE_DIRECTORY / app).rglob("*.py"))]
    return tuple((str(path.relative_to(BASE_DIRECTORY)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def imported(tree: ast.AST) -> set[str]:
    """Return the dotted names of everything a module imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def missing_tests(names: Iterable[str]) -> list[str]:
    """Return those of `path::function`, the path below tests/, that are no test."""
    return [name for name in names if name.partition("::")[2] not in _functions(name.partition("::")[0])]


@cache
def _functions(path: str) -> set[str]:
    tree = ast.parse((BASE_DIRECTORY / "tests" / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def roots(names: set[str]) -> set[str]:
    """Return the top-level packages of dotted names."""
    return {name.split(".")[0] for name in names}
