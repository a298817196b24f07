"""What somebody new does on the site, and what the next page makes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from interactions.models import Event, UserProfile
from tests.browser import PHONE, Person
from tests.recsite.site.browser.conftest import HOSTILE, Comes

FIRST_ROW = ".recs >> nth=0"


def titles(page: Page, row: str = FIRST_ROW) -> list[str]:
    return page.locator(row).locator(".recs-name").all_inner_texts()


def headings(page: Page) -> list[str]:
    return page.locator(".recs-title").all_inner_texts()


def kinds(names: list[str]) -> list[str]:
    """Return the kind of each film of these titles."""
    return [name.lower().partition("-")[0] for name in names]


def reads_to_the_end(page: Page) -> None:
    """Go down the page until every row has come."""
    for _ in range(40):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(60)
        below = page.evaluate("document.documentElement.scrollHeight - scrollY - innerHeight")
        if below < 4 and page.locator(".recs-late").count() == 0:
            return
    pytest.fail("rows are still waiting")


def waits_for(page: Page, happened: Callable[[], bool]) -> None:
    for _ in range(100):
        if happened():
            return
        page.wait_for_timeout(100)
    pytest.fail("it did not happen")


def watches(page: Page, *item_ids: str) -> None:
    for item_id in item_ids:
        page.goto(f"/items/{item_id}/")
        page.get_by_role("button", name="Watch", exact=True).click()
        expect(page.locator("#messages")).to_contain_text("Marked as watched")


def user_of(item_id: str) -> str:
    """Return who has watched an item that only one test has anybody watch."""
    return str(Event.objects.get(event_type__name="watch", item__item_id=item_id).user.user_id)


def test_a_new_visitor_answers_the_quiz_and_sees_fitting_rows(comes: Comes) -> None:
    page = comes().page
    page.goto("/")
    assert "western" not in kinds(titles(page)[:6])
    page.get_by_role("link", name="Pick a few titles").click()
    page.get_by_label("western", exact=True).check()
    page.get_by_label("Western-0", exact=True).check()
    page.get_by_label("Where are you?").select_option("FR")
    page.get_by_role("button", name="Show me my page").click()
    expect(page.locator("#messages")).to_contain_text("Thank you.")
    assert kinds(titles(page)[:4]) == ["western"] * 4
    assert "Western-0" not in titles(page)
    stored = UserProfile.objects.get(country="FR")
    assert stored.preferences == {"categories": ["western"], "items": ["western-0"]}
    page.goto("/profile/")
    expect(page.locator("#tastes")).to_contain_text("Western, and 1 title.")


def test_watching_three_films_of_a_kind_changes_the_next_page(comes: Comes) -> None:
    page = comes().page
    page.goto("/")
    before = titles(page)
    assert kinds(before).count("scifi") <= 3
    watches(page, "scifi-0", "scifi-1", "scifi-2")
    page.goto("/")
    after = titles(page)
    assert kinds(after)[:4] == ["scifi"] * 4
    assert not {"Scifi-0", "Scifi-1", "Scifi-2"} & set(after)
    assert re.fullmatch("Because you watched Scifi-[012]", page.locator(".hero-reason").inner_text())


def test_rows_that_come_late_repeat_nothing_and_move_nothing(comes: Comes) -> None:
    person = comes()
    page = person.page
    page.add_init_script("""
        window.shift = 0;
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });
    """)
    bytes_sent: list[int] = []

    def count(request: object) -> None:
        if request.resource_type != "image":  # type: ignore[attr-defined]
            sizes = request.sizes()  # type: ignore[attr-defined]
            bytes_sent.append(sizes["responseBodySize"] + sizes["responseHeadersSize"])

    page.on("requestfinished", count)
    page.goto("/", wait_until="networkidle")
    assert page.locator(".recs-late").count() == 0
    first_visit = sum(bytes_sent)
    watches(page, "drama-0")
    bytes_sent.clear()
    page.goto("/")
    assert page.locator(".recs-late").count() >= 2
    reads_to_the_end(page)
    shown = page.locator("[data-item-id]").evaluate_all("cards => cards.map(card => card.dataset.itemId)")
    assert len(shown) == len(set(shown)) > 20
    assert {"For you", "Because you watched Drama-0", "Trending now", "New for you", "drama"} <= set(headings(page))
    assert page.evaluate("window.shift") < 0.05
    assert not person.scrolls_sideways
    assert 20_000 < first_visit < 150_000
    assert sum(bytes_sent) < 150_000


def test_not_interested_takes_a_film_away_at_once_and_for_good(comes: Comes) -> None:
    page = comes().page
    watches(page, "horror-0")
    page.goto("/")
    unwanted, neighbour = titles(page)[:2]
    card = page.locator(".recs-card", has=page.get_by_text(unwanted, exact=True)).first
    card.get_by_role("button", name="Why this?").click()
    why = page.get_by_role("dialog", name="Why this title")
    expect(why).to_contain_text("Because you watched Horror-0")
    why.get_by_role("button", name="Not interested").click()
    expect(page.locator("#messages")).to_contain_text(f"We will not suggest {unwanted} again.")
    expect(card.filter(has_text=unwanted)).to_have_count(0)
    assert page.url.endswith("/")
    expect(page.locator(".recs-link:focus")).to_contain_text(neighbour)
    page.reload()
    reads_to_the_end(page)
    assert unwanted not in page.locator(".recs-name").all_inner_texts()
    page.goto("/profile/")
    page.locator("#dismissed").get_by_role("button", name=f"Undo {unwanted}").click()
    expect(page.locator("#messages")).to_contain_text("Taken back.")
    page.goto("/")
    assert unwanted in titles(page)


def test_what_was_seen_and_opened_is_told_once(comes: Comes) -> None:
    page = comes().page
    watches(page, "family-0")
    user = user_of("family-0")
    page.goto("/")
    page.wait_for_timeout(1500)
    opened = page.locator(FIRST_ROW).locator(".recs-card >> nth=1")
    item_id, position = opened.get_attribute("data-item-id"), opened.get_attribute("data-position")
    request_id = page.locator(FIRST_ROW).get_attribute("data-request-id")
    opened.locator(".recs-link").click()
    page.reload()
    told = Event.objects.filter(user__user_id=user, request_id=request_id)
    waits_for(page, lambda: told.filter(event_type__name="impression").exists())
    [click] = told.filter(event_type__name="click")
    assert (click.item.item_id, click.context) == (item_id, {"source": "homepage", "position": int(position or "")})
    seen = list(told.filter(event_type__name="impression").values_list("item__item_id", flat=True))
    assert item_id in seen
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("way", ["browser", "pause"])
def test_who_does_not_want_it_is_not_recorded(comes: Comes, way: str) -> None:
    page = comes(extra_http_headers={"Sec-GPC": "1"} if way == "browser" else {}).page
    if way == "pause":
        page.goto("/profile/")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#messages")).to_contain_text("Paused.")
    before = Event.objects.count()
    told: list[str] = []
    page.on(
        "request",
        lambda request: told.append(request.url) if request.method == "POST" and "report" in request.url else None,
    )
    page.goto("/items/comedy-7/")
    page.get_by_role("button", name="Watch", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("nothing was recorded" if way == "browser" else "not be recorded")
    page.goto("/")
    page.wait_for_timeout(1500)
    page.locator(FIRST_ROW).locator(".recs-link").first.click()
    page.wait_for_url("**/items/**")
    assert (Event.objects.count(), told) == (before, [])


def test_somebody_takes_his_data_and_is_forgotten(comes: Comes) -> None:
    page = comes().page
    watches(page, "romance-7")
    user = user_of("romance-7")
    page.goto("/profile/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    taken = json.loads(download.value.path().read_text())
    assert {"view", "watch"} <= {event["event_type"] for event in taken["events"]}
    page.get_by_role("link", name="Erase …").click()
    page.get_by_label("Yes, erase it.").check()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.locator("#messages")).to_contain_text(re.compile("Erased: [0-9]+ things you did"))
    assert not UserProfile.objects.filter(user_id=user).exists()


def test_facets_narrow_the_catalogue_and_stay_in_the_address(comes: Comes) -> None:
    page = comes().page
    page.goto("/browse/")
    page.get_by_text("Category", exact=True).click()
    page.get_by_role("link", name=re.compile("^horror 24")).click()
    expect(page.locator(".count")).to_have_text("24 titles")
    page.get_by_text("Decade", exact=True).click()
    page.get_by_role("link", name=re.compile("^2000s")).click()
    assert page.url.endswith("/browse/?category=horror&decade=2000")
    assert set(kinds(page.locator(".recs-name").all_inner_texts())) == {"horror"}
    page.get_by_role("link", name=re.compile("^2000s.*remove")).click()
    page.get_by_role("searchbox").fill("horor-3")
    page.keyboard.press("Enter")
    expect(page.locator(".recs-name").first).to_have_text("Horror-3")


def test_a_hostile_catalogue_is_only_text(comes: Comes) -> None:
    person = comes(size=PHONE)
    page = person.page
    for address in ("/", "/browse/?category=odd", "/welcome/", *(f"/items/{item_id}/" for item_id in HOSTILE)):
        page.goto(address)
        assert "owned" not in page.title().replace(HOSTILE["markup"], "")
        assert page.locator("main script").count() == 0
        links = page.locator("main a[href]").evaluate_all("links => links.map(link => link.href)")
        pictures = page.locator("main img").evaluate_all("pictures => pictures.map(picture => picture.src)")
        assert not [url for url in (*links, *pictures) if not url.startswith(person.origin)]
        assert not person.scrolls_sideways, address
    page.goto("/browse/?category=odd")
    assert sorted(page.locator(".recs-name").all_inner_texts()) == sorted(HOSTILE.values())
    person.page.goto("/items/arabic/")
    assert page.locator("h1").evaluate("title => getComputedStyle(title).direction") == "rtl"


def test_without_scripts_every_row_is_there_and_every_link_works(comes: Comes) -> None:
    person = comes(java_script_enabled=False)
    page = person.page
    page.goto("/items/crime-0/")
    page.get_by_role("button", name="Watch", exact=True).click()
    page.goto("/")
    assert page.locator(".recs-late").count() == 0
    expected = {"For you", "Because you watched Crime-0", "Trending now", "New for you", "crime"}
    assert expected <= set(headings(page))
    addresses = {link.get_attribute("href") or "" for link in page.locator("a[href]").all()}
    assert len(addresses) > 40
    for address in sorted(addresses):
        if address.startswith("/") and not address.startswith("/admin/"):
            assert page.request.get(person.origin + address).status == 200, address
    page.context.add_cookies([{"name": "recs-late", "value": "1", "url": person.origin}])
    page.goto("/")
    page.get_by_role("link", name="Show “New for you”").click()
    assert headings(page) == ["New for you"]
    assert len(titles(page)) >= 4


def tabs_to(page: Page, name: str, *, back: bool = False) -> None:
    """Press Tab until something has the focus whose name begins so."""
    script = (
        "() => (document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || '').trim()"
    )
    for _ in range(150):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if str(page.evaluate(script)).startswith(name):
            return
    pytest.fail(f"no Tab leads to {name!r}")


def test_the_whole_way_goes_by_keyboard(comes: Comes) -> None:
    page = comes().page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    tabs_to(page, "Pick a few titles")
    page.keyboard.press("Enter")
    page.wait_for_url("**/welcome/")
    page.locator("h1").wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "crime":
            break
    page.keyboard.press("Space")
    tabs_to(page, "Show me my page")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("Thank you.")
    first, second = titles(page)[:2]
    tabs_to(page, first)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".recs-link:focus")).to_contain_text(second)
    page.keyboard.press("Home")
    tabs_to(page, "Why this?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Why this title")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Why this title")).to_have_count(0)
    expect(page.locator(".card-why:focus")).to_have_count(1)
    tabs_to(page, first, back=True)
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/**")
    tabs_to(page, "Watch")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text(f"Marked as watched: {first}")
    tabs_to(page, "Profile")
    page.keyboard.press("Enter")
    page.wait_for_url("**/profile/")
    expect(page.locator("#history")).to_contain_text(first)


def test_the_example_of_the_embed_page_works(comes: Comes) -> None:
    person: Person = comes()
    page = person.page
    page.goto("/embed/")
    expect(page.locator("recsite-carousel [part=name]").first).to_be_visible()
    code = page.locator(".code code").nth(1).inner_text()
    assert f'src="{person.origin}/static/recommender/recsite-carousel.js"' in code
    assert re.search(r'key="rp_[0-9a-f]{8}_[0-9a-f]{40}"', code)
    assert page.locator("recsite-carousel [part=name]").count() > 4
