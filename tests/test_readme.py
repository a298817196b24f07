"""README names what is there: files, settings, variables, commands, checks and routes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import URLPattern, get_resolver

from recommender import conf

ROOT = Path(settings.BASE_DIRECTORY)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) > 30
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_file_of_the_two_paths_exists() -> None:
    drawn = re.findall(r"^ *(?:\d  )?([a-z_]+/[a-z_/]+\.py)", README, flags=re.MULTILINE)
    assert len(drawn) >= 15
    missing = [path for path in drawn if not (ROOT / path).exists() and not (ROOT / "recommender" / path).exists()]
    assert missing == []


def test_every_environment_variable_is_in_the_table() -> None:
    sources = [ROOT / "recsite" / name for name in ("environment.py", "settings.py")]
    read = {name for path in sources for name in re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', path.read_text())}
    listed = set(re.findall(r"^\| `((?!RECOMMENDER_|INTERACTIONS_)[A-Z_]+)` \|", README, flags=re.MULTILINE))
    assert read == listed


def test_every_setting_of_the_recommender_is_in_the_table() -> None:
    listed = set(re.findall(r"`RECOMMENDER_([A-Z_]+)`", README)) - {"ITEM_URL"}
    assert listed == set(conf.DEFAULTS)


def test_every_setting_of_the_interactions_is_in_the_table() -> None:
    read = set(re.findall(r'settings, "(INTERACTIONS_[A-Z_]+)"', (ROOT / "interactions" / "conf.py").read_text()))
    assert read == set(re.findall(r"`(INTERACTIONS_[A-Z_]+)`", README))


@pytest.mark.parametrize("command", sorted(set(re.findall(r"manage\.py ([a-z_]+)", README))))
def test_every_command_exists(command: str) -> None:
    assert command in get_commands()


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z]+)`", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_route_of_the_api_is_in_the_table() -> None:
    (api,) = (entry for entry in get_resolver().url_patterns if str(entry.pattern) == "api/v1/")
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) for route in _routes(api)}
    shown = {route for route in routes if re.search(rf"/api/v1/{re.escape(route)}(?![\w/])", README) is not None}
    assert routes - shown == set()


def _routes(entry: object, prefix: str = "") -> list[str]:
    found: list[str] = []
    for pattern in entry.url_patterns:  # type: ignore[attr-defined]
        route = prefix + str(pattern.pattern)
        found += [route] if isinstance(pattern, URLPattern) else _routes(pattern, route)
    return found
