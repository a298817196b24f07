"""No page of the site breaks a serious rule of accessibility, in light or dark; a new page fails until it is here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import axe_playwright_python
import pytest

from recsite.site.urls import urlpatterns
from tests.browser import DESKTOP, PHONE
from tests.recsite.site.browser.conftest import Comes

PAGES = {
    "home": "/",
    "item": "/items/scifi-0/",
    "browse": "/browse/?category=scifi",
    "category": "/browse/scifi/",
    "search": "/search/?q=horror",
    "quiz": "/welcome/",
    "profile": "/profile/",
    "erase": "/profile/erase/",
    "embed": "/embed/",
    "sign_in": "/sign-in/",
    "404": "/nothing-here/",
}
NO_PAGES = {"act", "undo", "pause", "resume", "sign_out", "data", "poster", "backdrop", "history"}
"""What is sent, handed out as a file or picture, or leads elsewhere."""


def test_every_page_is_looked_at() -> None:
    assert {pattern.name for pattern in urlpatterns} == (set(PAGES) - {"404"}) | NO_PAGES
    assert Path(axe_playwright_python.__file__).exists()


IN_THE_DARK = ("home", "item", "browse", "quiz", "profile", "embed")
"""Each has something of its own; the others are made of their parts."""


@pytest.mark.parametrize(("scheme", "size", "names"), [("light", DESKTOP, list(PAGES)), ("dark", PHONE, IN_THE_DARK)])
def test_no_page_breaks_a_serious_rule(comes: Comes, scheme: str, size: tuple[int, int], names: Sequence[str]) -> None:
    person = comes(color_scheme=scheme, size=size)
    page = person.page
    page.goto("/items/western-3/")
    page.get_by_role("button", name="Watch", exact=True).click()
    page.get_by_role("button", name="Not interested", exact=True).click()
    found = {}
    for name in names:
        page.goto(PAGES[name])
        found[name] = person.serious_faults()
        assert not person.scrolls_sideways, name
    person.complaints[:] = [said for said in person.complaints if "nothing-here" not in said]
    assert found == {name: [] for name in names}
