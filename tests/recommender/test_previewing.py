"""An editor sees what a draft would change, for anybody and at any moment, and nothing comes of his looking."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Item
from recommender import serving, tasks
from recommender.exceptions import RequestError, UnknownPlacement
from recommender.previewing import Preview, preview
from recommender.rules import draft
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import published, written


def looked_at(**asked: Any) -> Preview:
    return preview(draft.read(), **{"placement": "trending", **asked})


def moves(found: Preview) -> dict[str, tuple[int | None, int | None, str]]:
    return {line.card.item_id: (line.before, line.after, line.move) for line in found.lines}


def test_both_lists_and_what_moves_are_shown(site: FilmSite) -> None:
    before = ids(serving.recommend("", context="trending"))
    with site.commit():
        written("pin", name="Coco first", items=["coco"], position=1)
        written("hide", name="No crime", where="category=crime")
    found = looked_at()
    assert ids(found.before) == before
    assert ids(found.after)[0] == "coco"
    assert moves(found)["coco"] == (before.index("coco") + 1, 1, "up")
    assert moves(found)["heat"] == (before.index("heat") + 1, None, "gone")
    assert [line.card.item_id for line in found.lines][: len(found.after.items)] == ids(found.after)
    assert [line.rule for line in found.lines if line.rule] == ["Coco first"]
    # It was a look.
    assert ids(serving.recommend("", context="trending")) == before
    assert tasks.write_impressions() == 0


def test_a_moment_to_come_is_that_of_schedules_and_availability(site: FilmSite) -> None:
    from datetime import timedelta

    from django.utils import timezone

    tomorrow = timezone.now() + timedelta(days=1)
    with site.commit():
        written("pin", items=["up"], position=1, active_from=tomorrow)
        Item.objects.filter(item_id="heat").update(available_until=tomorrow)
    assert ids(looked_at().after)[0] == "heat"
    later = looked_at(moment=(tomorrow + timedelta(hours=1)).timestamp())
    assert (ids(later.after)[0], "heat" in ids(later.after)) == ("up", False)
    assert "heat" not in ids(later.before)


def test_a_users_own_list_is_made_of_his_history(site: FilmSite) -> None:
    site.does("ann", ("watch", "alien"))
    with site.commit():
        published("boost", where="category=family", multiplier=50)
    found = looked_at(placement="homepage", user_id="ann")
    assert "alien" not in ids(found.after)
    assert ids(found.before) == ids(found.after)
    assert {line.move for line in found.lines} == {"stays"}


def test_rules_for_others_do_not_show(site: FilmSite) -> None:
    with site.commit():
        written("pin", items=["coco"], position=1, devices=["tv"], languages=["pt"])
    assert ids(looked_at(device="tv", language="pt-BR").after)[0] == "coco"
    assert ids(looked_at(device="tv", language="fr").after)[0] != "coco"


def test_what_cannot_be_shown_says_why(site: FilmSite) -> None:
    with pytest.raises(UnknownPlacement):
        looked_at(placement="nowhere")
    with pytest.raises(RequestError, match="needs item_id"):
        looked_at(placement="product_page")
    assert ids(looked_at(placement="product_page", seed_item_id="heat").after)[0] == "ronin"
