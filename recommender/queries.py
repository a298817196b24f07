"""What is read of placements, once a revision and process."""

from __future__ import annotations

import logging

import msgspec

from catalog.process_copy import ProcessCopy
from recommender import conf
from recommender.exceptions import UnknownPlacement
from recommender.models import Placement

logger = logging.getLogger(__name__)


class PlacementSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One active placement as data."""

    name: str
    page: str
    recipe: str
    title: str
    """{seed} stands for the seed's title."""
    limit: int
    minimum: int
    fallback: str = ""
    """Recipe that answers instead and fills up to the minimum; "" leaves the first to the recipe's own."""
    dedupe_group: str = ""
    """Rows of a page repeat no item of their own group; "" is a group as any other."""
    diversity: float | None = None
    """0..1; None leaves it to the recipe."""
    freshness: float | None = None
    """0..1; None leaves it to the recipe."""
    explores: bool = True
    """Whether its personalised lists have an exploration slot."""
    cache_seconds: int | None = None
    """How long a list may be shown again; 0: never, None: as RESULT_CACHE says."""


class Placements:
    """The active placements of one revision, in page order.

    One that names a recipe which is not configured is left out: a newer version of the site, which runs beside this one
    while it is deployed, has written it.
    """

    def __init__(self, revision: int, specs: list[PlacementSpec]) -> None:
        self.revision = revision
        self._all = specs
        if unknown := [spec.name for spec in specs if spec not in self.specs]:
            logger.warning("placements of recipes that are not configured are left out: %s", ", ".join(unknown))

    @property
    def specs(self) -> list[PlacementSpec]:
        """Those that can be shown."""
        recipes = conf.get("RECIPES")
        return [
            spec for spec in self._all if spec.recipe in recipes and (not spec.fallback or spec.fallback in recipes)
        ]

    def named(self, name: str) -> PlacementSpec:
        """Return the placement `name`; UnknownPlacement when there is no active one."""
        specs = self.specs
        for spec in specs:
            if spec.name == name:
                return spec
        known = ", ".join(spec.name for spec in specs) or "none"
        raise UnknownPlacement(f"There is no active placement {name!r}; there are: {known}.")

    def of_recipe(self, recipe: str) -> PlacementSpec | None:
        """Return the first placement that shows `recipe`, or None."""
        return next((spec for spec in self.specs if spec.recipe == recipe), None)

    def on_page(self, page: str) -> list[PlacementSpec]:
        """Return the placements of `page` in order; UnknownPlacement when there are none."""
        found = [spec for spec in self.specs if spec.page == page]
        if not found:
            pages = ", ".join(dict.fromkeys(spec.page for spec in self.specs)) or "none"
            raise UnknownPlacement(f"There is no page {page!r}; there are: {pages}.")
        return found


def load_placements(revision: int) -> Placements:
    """Read the active placements from Postgres (one query)."""
    active = Placement.objects.filter(is_active=True).order_by("page", "position", "name")
    rows = active.values(*PlacementSpec.__struct_fields__)
    return Placements(revision, [PlacementSpec(**row) for row in rows])


_copy = ProcessCopy[Placements](lambda revision, earlier: load_placements(revision))


def placements(revision: int) -> Placements:
    """Return this process's placements, read anew when they are not of `revision` (that of `revisions.RULES`)."""
    return _copy.at(revision)
