"""What the address of the browse page asks for, and the addresses of all that may be asked next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import get_language_info

from catalog import countries
from catalog.faceted_search import SORTS, FacetValue, Wanted

TITLES = {"category": "Category", "decade": "Decade", "language": "Language", "country": "Country", "tag": "Tag"}
SORT_WORDS = {"relevance": "Best match", "popular": "Most popular", "newest": "Newest", "title": "A to Z"}
NOTHING: Mapping[str, str] = MappingProxyType({})
_DECADE = re.compile(r"1[0-9]{2}0|20[0-9]0|2[1-9][0-9]0", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One link that changes what is asked for."""

    label: str
    address: str
    is_chosen: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One facet with its values."""

    name: str
    title: str
    choices: list[Choice]


def wanted_of(parameters: Mapping[str, str], category: str = "") -> Wanted:
    """Read what is wanted from query parameters; what cannot be is as if it were not there."""

    def given(name: str, longest: int = 100) -> str:
        return parameters.get(name, "").replace("\0", "").strip()[:longest]

    decade, sort = given("decade"), given("sort")
    return Wanted(
        text=given("q", 200),
        category=category or given("category"),
        decade=int(decade) if _DECADE.fullmatch(decade) else None,
        language=given("language", 16),
        country=given("country", 2).upper(),
        tag=given("tag"),
        sort=sort if sort in SORTS else "",
    )


def address(wanted: Wanted, changes: Mapping[str, str] = NOTHING, *, page: int = 1) -> str:
    """Return the address that asks for `wanted` with some of its parts changed ("" drops one)."""
    asked = {**_parameters(wanted), **changes, "page": str(page) if page > 1 else ""}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('site:browse')}?{query}" if query else reverse("site:browse")


def facets_of(wanted: Wanted, found: Mapping[str, list[FacetValue]]) -> list[Facet]:
    """Return the facets that can narrow what was found, the chosen value of each first of all a way back."""
    facets = []
    for name, title in TITLES.items():
        chosen = _parameters(wanted)[name]
        choices = [
            Choice(
                label=label_of(name, value.value),
                address=address(wanted, {name: "" if value.value == chosen else value.value}),
                is_chosen=value.value == chosen,
                count=value.count,
            )
            for value in found[name]
        ]
        if choices:
            facets.append(Facet(name=name, title=title, choices=choices))
    return facets


def links(name: str, values: Iterable[str]) -> list[Choice]:
    """Return for each value of a facet the way to all that have it."""
    return [Choice(label=label_of(name, value), address=address(Wanted(), {name: value})) for value in values]


def chosen_of(wanted: Wanted) -> list[Choice]:
    """Return what narrows the list now; each address is the one without it."""
    parameters = _parameters(wanted)
    return [
        Choice(label=label_of(name, parameters[name]), address=address(wanted, {name: ""}), is_chosen=True)
        for name in TITLES
        if parameters[name]
    ]


def sorts_of(wanted: Wanted) -> list[Choice]:
    """Return the orders there are."""
    usual = "relevance" if wanted.text else "popular"
    offered: Iterable[str] = SORTS if wanted.text else SORTS[1:]
    return [
        Choice(
            label=SORT_WORDS[name],
            address=address(wanted, {"sort": "" if name == usual else name}),
            is_chosen=name == (wanted.sort or usual),
        )
        for name in offered
    ]


def label_of(name: str, value: str) -> str:
    """Return a facet's value as people call it."""
    match name:
        case "decade":
            return f"{value}s"
        case "country":
            return countries.name(value).removeprefix("the ")
        case "language":
            try:
                return str(get_language_info(value)["name"])
            except KeyError:
                return value
        case _:
            return value


def _parameters(wanted: Wanted) -> dict[str, str]:
    return {
        "q": wanted.text,
        "category": wanted.category,
        "decade": "" if wanted.decade is None else str(wanted.decade),
        "language": wanted.language,
        "country": wanted.country,
        "tag": wanted.tag,
        "sort": wanted.sort,
    }
