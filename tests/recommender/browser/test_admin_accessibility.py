"""Pages where editors work break no serious rule of accessibility, in the dark, where colours are hardest to read."""

from __future__ import annotations

from tests.recommender.browser.conftest import Comes
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import written

PAGES = (
    "",
    "recommender/rule/",
    "recommender/rule/add/",
    "recommender/rule/why/",
    "recommender/rule/publish/",
    "recommender/placement/",
    "catalog/item/",
    "experiments/experiment/",
)
NOT_OURS = ".select2-container"
"""Django's list that completes what one types names its parts for the eye only."""


def test_no_page_of_editors_breaks_a_serious_rule(films: FilmSite, comes: Comes) -> None:
    written("hide", name="No Clue", items=["clue"])
    editor = comes("Reviewers", color_scheme="dark")
    found = {}
    for address in PAGES:
        answer = editor.page.goto(f"/admin/{address}")
        assert answer is not None
        assert answer.ok, address
        found[address] = editor.serious_faults(NOT_OURS)
    assert found == {address: [] for address in PAGES}
