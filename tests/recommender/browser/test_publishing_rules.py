"""Editors write, preview, measure, publish and take back rules in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from recommender import tasks
from recommender.models import ActiveRules, Rule, RuleSetVersion
from tests.browser import DESKTOP, PHONE
from tests.recommender.browser.conftest import Comes
from tests.recommender.film_site import FilmSite
from tests.recommender.rule_writing import published, written

POPULAR = "Popular with everybody"
LOOKS = 60
LOOK_EVERY_MS = 500


def titles(page: Page) -> list[str]:
    """Return what the home page shows, the leading title first."""
    page.goto("/")
    row = page.get_by_role("region", name=POPULAR)
    return [page.locator(".hero h2").inner_text(), *row.locator(".recs-name").all_inner_texts()]


def writes_pin(page: Page, name: str, title: str, position: int) -> None:
    """Fill in the form of a new pin as a person does, and save it."""
    page.goto("/admin/recommender/rule/add/")
    page.locator("#id_name").fill(name)
    page.get_by_label("Action").select_option(label="pin to a position")
    page.locator("#id_position").fill(str(position))
    page.get_by_text("Add another Rule item").click()
    page.locator("[aria-labelledby=select2-id_picked-0-item-container]").click()
    page.locator(".select2-search__field").fill(title[:3])
    page.get_by_role("option", name=title).click()
    page.get_by_role("button", name="Save", exact=True).click()


def opens_publishing(page: Page) -> None:
    """Go from the list of rules to the page that publishes them."""
    page.goto("/admin/recommender/rule/")
    page.get_by_role("link", name="Publish …").click()


def test_a_promotion_from_its_first_word_to_its_end(films: FilmSite, comes: Comes) -> None:
    for number in range(12):
        films.does(f"user{number}", ("watch", "heat"), ("watch", "airplane"))
    visitor, editor = comes(), comes("Reviewers")
    page = editor.page
    published("hide", name="No Clue", items=["clue"])
    assert titles(visitor.page)[:3] == ["Heat", "Ronin", "Thief"]

    writes_pin(page, "Coco comes to town", "Coco", 1)
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert titles(visitor.page)[:3] == ["Heat", "Ronin", "Thief"], "a draft serves nobody"

    page.get_by_role("link", name="Preview …").click()
    page.get_by_role("button", name="Show").click()
    promoted = page.locator("#preview tr[data-item=coco]")
    expect(promoted).to_have_attribute("data-move", "up")
    expect(promoted).to_contain_text("Coco comes to town")
    expect(promoted.locator("td").nth(1)).to_have_text("1")

    opens_publishing(page)
    page.get_by_role("button", name="Measure").click()
    for _ in range(LOOKS):
        if page.locator("#impact").is_visible():
            break
        # As beat has it done every ten seconds; it does not run here.
        tasks.measure_impacts()
        page.wait_for_timeout(LOOK_EVERY_MS)
        page.get_by_role("link", name="Look again").click()
    expect(page.locator("#impact tr", has_text="homepage")).to_contain_text("12 of 12")

    page.get_by_label("Why").fill("Its first night")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("serves from the next request on")).to_be_visible()
    assert titles(visitor.page)[:3] == ["Coco", "Heat", "Ronin"]
    serving = ActiveRules.objects.get().version
    assert serving is not None
    assert (serving.note, str(serving.published_by)) == ("Its first night", "reviewers-2")

    opens_publishing(page)
    page.get_by_role("button", name="Roll back to version").click()
    expect(page.get_by_text("serves again")).to_be_visible()
    assert titles(visitor.page)[:3] == ["Heat", "Ronin", "Thief"]


def test_a_conflict_is_refused_with_what_to_do(comes: Comes) -> None:
    written("pin", name="Up on top", items=["up"], position=1)
    visitor, editor = comes(), comes("Reviewers")
    writes_pin(editor.page, "Coco on top", "Coco", 1)
    opens_publishing(editor.page)
    said = editor.page.locator("[data-error=yes]")
    expect(said).to_contain_text("Up on top")
    expect(said).to_contain_text("Coco on top")
    editor.page.get_by_role("button", name="Publish", exact=True).click()
    expect(editor.page.locator(".errornote")).to_contain_text("Give one of them")
    assert not RuleSetVersion.objects.exists()
    assert titles(visitor.page)[:2] == ["Heat", "Ronin"]


def test_what_cannot_be_is_said_at_its_field_and_not_saved(comes: Comes) -> None:
    editor = comes("Editors")
    page = editor.page
    page.goto("/admin/recommender/rule/add/")
    page.locator("#id_name").fill("Backwards")
    page.get_by_label("Action").select_option(label="hide")
    page.locator("#id_active_from_0").fill("2026-12-24")
    page.locator("#id_active_from_1").fill("12:00:00")
    page.locator("#id_active_until_0").fill("2026-12-23")
    page.locator("#id_active_until_1").fill("12:00:00")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Please correct the error")).to_be_visible()
    assert not Rule.objects.exists()


def test_who_may_only_write_can_submit_but_not_publish(comes: Comes) -> None:
    written("hide", items=["heat"])
    visitor, editor = comes(), comes("Editors")
    page = editor.page
    opens_publishing(page)
    expect(page.get_by_role("button", name="Submit for review")).to_be_visible()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    refused = page.request.post(page.url, form={"csrfmiddlewaretoken": token, "do": "publish", "note": "anyway"})
    assert refused.status == 403
    assert not RuleSetVersion.objects.exists()
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("waits for a review")).to_be_visible()
    assert titles(visitor.page)[0] == "Heat"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_no_page_of_the_editors_is_wider_than_the_window(comes: Comes, size: tuple[int, int]) -> None:
    rule = published("hide", name="Gone for the season", items=["alien"])
    editor = comes("Reviewers", size=size)
    for path in (
        "/admin/",
        "/admin/recommender/placement/",
        "/admin/recommender/placement/add/",
        "/admin/recommender/rule/",
        f"/admin/recommender/rule/{rule.pk}/change/",
        "/admin/recommender/rule/publish/",
        "/admin/recommender/rule/preview/?placement=homepage",
        "/admin/recommender/rule/why/?placement=homepage&item_id=heat",
        "/admin/recommender/rule/calendar/",
        "/admin/recommender/rule/import/",
        "/admin/recommender/rulesetversion/",
        "/admin/recommender/modelversion/",
        "/admin/recommender/rebuildjob/",
        "/admin/catalog/item/",
        "/admin/catalog/item/add/",
        "/admin/experiments/experiment/",
    ):
        answer = editor.page.goto(path)
        assert answer is not None
        assert answer.status == 200
        assert not editor.scrolls_sideways, path
