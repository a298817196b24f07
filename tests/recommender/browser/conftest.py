"""The site of nine films on the real web server with its worker, and a browser to open it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser

from recsite.demo import programs
from tests.browser import DESKTOP, Person, chromium
from tests.recommender.film_site import FilmSite
from tests.web_server import web_server

PASSWORD = "correct horse battery"

Comes = Callable[..., Person]


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Return a browser of this test's own."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def films(committing_database: None, models: Path) -> FilmSite:
    """Return the films, committed: other processes see them."""
    return FilmSite(nullcontext)


@pytest.fixture
def comes(browser: Browser, films: FilmSite, tmp_path: Path) -> Iterator[Comes]:
    """Return a function that lets somebody open the site: signed in to the admin as one of a group, or not at all."""
    worker, _ = programs.background()
    people: list[Person] = []
    with web_server(tmp_path, workers=2, also=[worker]) as port:

        def comes(group: str = "", size: tuple[int, int] = DESKTOP, **manner: Any) -> Person:
            person = Person(browser, port, size, **manner)
            people.append(person)
            if group:
                name = f"{group.lower()}-{len(people)}"
                account = User.objects.create_user(name, password=PASSWORD, is_staff=True)
                account.groups.add(Group.objects.get(name=group))
                person.signs_in(name, PASSWORD)
            return person

        yield comes
        assert [person.complaints for person in people] == [[] for _ in people]
