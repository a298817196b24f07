"""Why an item is, or is not, in a list: told truly for every kind of list, and nothing comes of asking."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Item
from recommender import serving, tasks
from recommender.exceptions import RequestError, UnknownItem, UnknownPlacement
from recommender.inspecting import Inspection, inspect
from recommender.models import Placement
from recommender.rules import draft
from recommender.rules.viewer import is_held_out
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import published


def why(item_id: str, user_id: str = "", **asked: Any) -> Inspection:
    return inspect(user_id, item_id, **{"context": "trending", **asked})


def effects(found: Inspection) -> dict[str, str]:
    return {hit.spec.name: hit.effect for hit in found.hits}


def test_an_item_of_a_list_says_its_place_and_its_source(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    found = why("arrival", "ann", context="homepage")
    assert found.place == ids(serving.recommend("ann", context="homepage", record=False)).index("arrival") + 1 == 1
    assert found.sentences[0].startswith("It stands at place 1 of ")
    assert "most of all by the source item_to_item: “Because you watched Alien”" in found.sentences[0]
    [item_to_item] = [source for source in found.sources if source.name == "item_to_item"]
    assert (item_to_item.score, item_to_item.place) == (pytest.approx(0.8), 1)
    assert found.score == pytest.approx(found.list.items[0].score, abs=1e-5)
    assert found.stages[0].kind == "source"
    assert (found.hits, found.removed_by) == ((), ())


def test_what_the_user_has_taken_is_missing_for_that(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    found = why("alien", "ann", context="homepage")
    assert (found.place, found.removed_by) == (None, ("seen",))
    assert found.sentences[0] == (
        f"It is not in the list: this user has taken it already, last on {datetime.now(UTC):%Y-%m-%d}."
    )
    assert [(stage.name, stage.running) for stage in found.stages if stage.kind == "filter"] == [
        ("unavailable", True), ("excluded", True), ("ruled_out", True), ("seen", False),
    ]  # fmt: skip
    assert [stage.name for stage in found.stages if stage.removed] == ["seen"]


def test_every_rule_that_shuts_an_item_out_is_named(site: FilmSite) -> None:
    with site.commit():
        published("hide", name="No crime", where="category=crime")
        published("exclude", name="Not Heat", items=["heat"])
        published("include_only", name="Families", where="category=family")
        published("hide", name="No comedies", where="category=comedy")
    found = why("heat")
    assert effects(found) == {
        "No crime": "hides it",
        "Not Heat": "excludes it",
        "Families": "recommends other items only",
    }
    assert found.sentences[0] == (
        "It is not in the list: the rule “No crime” hides it, and the rule “Not Heat” excludes it, and the rule "
        "“Families” recommends other items only (stage ruled_out)."
    )
    assert effects(why("up")) == {"Families": "includes it"}


def test_a_second_inclusion_takes_the_item_in(site: FilmSite) -> None:
    with site.commit():
        published("include_only", name="Families", where="category=family")
        published("include_only", name="Crime", where="category=crime")
    assert effects(why("heat")) == {"Crime": "includes it"}
    assert why("heat").place is not None


def test_a_rule_that_puts_an_item_somewhere_is_the_reason(site: FilmSite) -> None:
    with site.commit():
        published("pin", name="Coco second", items=["coco"], position=2)
    found = why("coco")
    assert found.place == 2
    assert found.sentences[0] == (
        "It stands at place 2 of 9, because the rule “Coco second” puts it there (pin to position 2)."
    )
    assert effects(found) == {"Coco second": "puts it at place 2; without the rule it would stand at place 9"}
    assert effects(why("ronin")) == {"Coco second": "moves it: without the rule it would stand at place 2"}
    assert effects(why("heat")) == {}


def test_a_cap_that_takes_an_item_out_is_found_by_trying(site: FilmSite) -> None:
    with site.commit():
        published("cap", name="One crime", attribute="category", at_most=1, window=9)
    found = why("ronin")
    assert found.place is None
    assert effects(found) == {"One crime": "moves it: without the rule it would stand at place 2"}
    assert "it had come to place 2, and business_rules took it out" in found.sentences[0]
    assert "Without the rule “One crime” it would be" in found.sentences[0]


def test_the_list_of_a_seed_says_what_the_seed_shuts_out(site: FilmSite) -> None:
    with site.commit():
        published("same_as_seed", name="Same kind", attribute="category", placements=["product_page"])
    about = {"context": "product_page", "seed_item_id": "heat"}
    assert why("ronin", **about).place == 1
    alien = why("alien", **about)
    assert effects(alien) == {"Same kind": "shuts it out: it has another category than “Heat”"}
    assert "the rule “Same kind” shuts it out" in alien.sentences[0]
    assert why("heat", **about).sentences[0] == "It is not in the list: the list is about this very item."
    site.does("ann", ("watch", "heat"))
    watched = why("ronin", "ann", context="", kind="because_you_watched")
    assert (watched.list.seed_item_id, watched.place) == ("heat", 1)


def test_an_item_that_no_source_proposes_says_how_close_it_came(site: FilmSite, settings: Any) -> None:
    settings.RECOMMENDER_CANDIDATES_PER_SOURCE = 2
    with site.commit():
        Placement.objects.filter(name="trending").update(limit=2, minimum=1)
    found = why("coco")
    assert (found.place, found.score_place) == (None, None)
    assert found.sentences[0].startswith("It is not in the list: no source proposed it. The closest it came was place ")


def test_an_item_that_came_too_late_says_where(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.filter(name="trending").update(limit=3, minimum=1)
    found = why("clue")
    assert found.sentences[0].startswith("It is not in the list: it came at place 5, and the list shows 3.")
    assert found.score_place == 5


def test_dates_and_switches_are_named(site: FilmSite) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    with site.commit():
        Item.objects.filter(item_id="heat").update(available_from=tomorrow)
        Item.objects.filter(item_id="ronin").update(available_until=datetime(2024, 1, 2, 3, 4, tzinfo=UTC))
        Item.objects.filter(item_id="thief").update(is_active=False)
    said = {item_id: why(item_id).sentences[0] for item_id in ("heat", "ronin", "thief")}
    assert said["heat"] == f"It is not in the list: it is not available until {tomorrow:%Y-%m-%d %H:%M} UTC."
    assert said["ronin"] == "It is not in the list: it is no longer available since 2024-01-02 03:04 UTC."
    assert said["thief"] == "It is not in the list: it is switched off in the catalogue."
    later = (tomorrow + timedelta(hours=1)).timestamp()
    assert why("heat", moment=later).place == 1


def test_language_and_device_choose_the_rules(site: FilmSite) -> None:
    with site.commit():
        published("hide", name="On TV", items=["heat"], devices=["tv"], languages=["pt"])
    assert why("heat").place == 1
    assert why("heat", device="tv", language="pt-BR").sentences[0] == (
        "It is not in the list: the rule “On TV” hides it (stage ruled_out)."
    )


def test_a_fallback_and_a_held_out_user_are_told(site: FilmSite) -> None:
    with site.commit():
        rule = published("hide", name="Half", items=["heat"], holdout_percent=90)
    [spec] = draft.read()
    held = next(f"u{n}" for n in range(100) if is_held_out(spec, f"u{n}"))
    found = why("heat", held, context="homepage")
    assert rule.pk == found.hits[0].spec.pk
    assert found.hits[0].effect == "does nothing here: this user is in its holdout"
    assert found.place == 1
    assert (
        "The list that was asked for could not be made, because nothing is known of this user: the list "
        f"“{found.list.recipe}” stands in."
    ) in found.sentences


def test_what_a_row_above_shows_is_left_out_on_its_page(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    first, *others = serving.page("home", user_id="ann", limit=None)
    assert others == [] or first.placement != others[0].placement
    shown = ids(first)[0]
    found = why(shown, "ann", on_its_page=True)
    assert found.sentences[0] == f"It is not in the list: the row “{first.placement}” above it shows it."
    assert why(shown, "ann").above == ""


def test_a_row_that_is_too_short_says_so(site: FilmSite) -> None:
    with site.commit():
        Placement.objects.filter(name="trending").update(minimum=8)
        published("include_only", name="Families", where="category=family")
    assert why("up").sentences[-1] == "The row itself is not shown: it has 2 items and needs 8."


def test_looking_leaves_no_trace(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    why("heat", "ann", context="homepage", on_its_page=True)
    assert tasks.write_impressions() == 0


def test_what_cannot_be_asked_says_why(site: FilmSite) -> None:
    with pytest.raises(UnknownItem):
        why("dune")
    with pytest.raises(UnknownPlacement):
        why("heat", context="nowhere")
    with pytest.raises(RequestError, match="needs item_id"):
        why("heat", context="product_page")
