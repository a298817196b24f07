"""Names of countries, from the list of two-letter codes that comes with the time zones."""

from __future__ import annotations

from functools import cache
from importlib import resources

_IN_SENTENCES = {
    "AE": "the United Arab Emirates", "BS": "the Bahamas", "CZ": "Czechia", "DO": "the Dominican Republic",
    "GB": "the United Kingdom", "GM": "the Gambia", "MV": "the Maldives", "NL": "the Netherlands",
    "PH": "the Philippines", "TR": "Türkiye", "US": "the United States",
}  # fmt: skip
"""Where the list's own name does not do after "in"."""


def name(code: str) -> str:
    """Return the English name of a country as it stands after "in"; the code itself where there is none."""
    return _names().get(code.upper(), code)


def codes() -> list[str]:
    """Return the codes of all countries, by name."""
    return sorted(_names(), key=lambda code: _names()[code].removeprefix("the "))


@cache
def _names() -> dict[str, str]:
    text = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {**dict(rows), **_IN_SENTENCES}
