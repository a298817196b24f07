"""A cinema of 192 films and some hostile titles on the real web server, one for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import combinations
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from catalog import revisions
from catalog.models import Item
from recommender.models import Placement
from recsite import api_keys
from tests.browser import Person, chromium
from tests.conftest import committing
from tests.recommender.conftest import EXACT
from tests.recommender.film_site import FilmSite
from tests.web_server import web_server

KINDS = ("comedy", "crime", "drama", "family", "horror", "romance", "scifi", "western")
OF_EACH = 24
FILMS = {
    # The most popular of each kind first, and of equals the earlier kind.
    f"{kind}-{number}": (kind, 10 * (OF_EACH - number) + len(KINDS) - place)
    for number in range(OF_EACH)
    for place, kind in enumerate(KINDS)
}
PAIRS = {
    (one, other): 0.5 for one, other in combinations(FILMS, 2) if FILMS[one][0] == FILMS[other][0]
}  # fmt: skip
HOSTILE = {
    "markup": "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>",
    "long": "x" * 500,
    "arabic": "ليلة في القاهرة",
    "emoji": "👩‍👩‍👧‍👦 Family 🎬",
}
"""Item id → title; all most popular, of the kind "odd"."""

Comes = Callable[..., Person]


@contextmanager
def placements_restored() -> Iterator[None]:
    """Undo after the `with` block what it has changed of the placements, which are there from the start."""
    before = list(Placement.objects.all())
    try:
        yield
    finally:
        Placement.objects.bulk_update(before, ["limit", "explores"])


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a browser for all of them."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def cinema(
    browser: Browser,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[int]:
    """Return the port of the cinema. What one test leaves there is somebody's own: each comes as somebody else."""
    folder = tmp_path_factory.mktemp("cinema")
    own: dict[str, Any] = {
        "REDIS_KEY_PREFIX": f"test-cinema:{settings.DATABASES['default']['TEST']['NAME']}",
        "RECOMMENDER_MODEL_DIRECTORY": str(folder / "models"),
        "RECOMMENDER_VECTOR_INDEXES": {"default": {"BACKEND": EXACT}},
        "CATALOGUE_DIRECTORY": "",
    }
    with committing(django_db_blocker), override_settings(**own), placements_restored():
        FilmSite(nullcontext, FILMS, PAIRS)
        Item.objects.update(language="en", countries=["US"])
        # Short rows, so that there is something left for the last ones; none of them draws a newcomer.
        Placement.objects.update(limit=6, explores=False)
        for item_id, title in HOSTILE.items():
            Item.objects.create(
                item_id=item_id,
                title=title,
                description=title,
                category="odd",
                tags=[title[:100]],
                creators=[title[:200]],
                popularity=500,
                url="javascript:alert(1)" if item_id == "markup" else "",
                image_url="javascript:alert(1)",
            )
        revisions.announce_all()
        with web_server(folder) as port:
            origin = f"http://127.0.0.1:{port}"
            api_keys.create("embed page", ["read", "events"], [origin])
            yield port


@pytest.fixture
def comes(browser: Browser, cinema: int) -> Iterator[Comes]:
    """Return a function that lets somebody new open the site; no page may complain in the end."""
    people: list[Person] = []

    def comes(**manner: Any) -> Person:
        people.append(Person(browser, cinema, **manner))
        return people[-1]

    yield comes
    complaints = [person.complaints for person in people]
    for person in people:
        person.page.context.close()
    assert complaints == [[] for _ in people]
