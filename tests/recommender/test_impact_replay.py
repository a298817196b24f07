"""The click rate of a draft is told from what was shown and clicked, or it is said that it cannot be told."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from interactions import impression_rows
from interactions.contracts import ServedItem, ServedList
from interactions.recording import EventInput, record
from recommender import impact_replay, serving
from recommender.impact import measure
from recommender.impact_replay import estimate, of_user
from recommender.rules import draft
from recommender.rules.compile import Rulebook
from recommender.visit import begin
from tests.recommender.film_site import FilmSite, ids
from tests.recommender.rule_writing import written


def sums(*users: tuple[int, list[list[float]]]) -> list[Any]:
    return [(impressions, np.array(of_both)) for impressions, of_both in users]


def test_rates_are_weighed_by_propensity_and_users_are_the_units() -> None:
    one = (200, [[100, 100, 10, 100], [80, 80, 8, 80]])
    two = (200, [[100, 100, 30, 100], [80, 80, 8, 80]])
    found = estimate(sums(one, two))
    assert (found.impressions, found.matching_before, found.matching_after, found.obstacle) == (400, 200, 160, "")
    assert (found.before, found.after) == (pytest.approx(0.2), pytest.approx(0.1))
    # Influence before: (10 - 20)/100 and (30 - 20)/100; after: (8 - 8)/80 twice. Differences 0.1 and -0.1.
    margin = 1.959964 * math.sqrt(0.02) / 2
    assert (found.low, found.high) == (pytest.approx(-0.1 - margin), pytest.approx(-0.1 + margin))


def test_too_few_matching_impressions_are_refused() -> None:
    found = estimate(sums((150, [[120, 120, 5, 120], [99, 99, 5, 99]])))
    assert found.obstacle == "Of 150 logged impressions 99 would be shown again, and 100 are needed."
    assert (found.before, found.after, found.low, found.high) == (0.0, 0.0, 0.0, 0.0)
    assert estimate([]).obstacle.startswith("Of 0 logged impressions 0 would")


def test_few_impressions_of_large_weight_are_refused() -> None:
    """100 of weight 1 and 20 of weight 20 with the draft: 500² / 8,100 = 30.9."""
    found = estimate(sums((150, [[150, 150, 5, 150], [120, 500, 5, 8_100]])))
    assert found.obstacle == (
        "The 120 of 150 logged impressions that would be shown again say as much as 31 of equal probability, "
        "and 100 are needed."
    )
    assert (found.before, found.after, found.low, found.high) == (0.0, 0.0, 0.0, 0.0)


def test_a_list_is_made_again_as_it_was_before_the_click(site: FilmSite) -> None:
    made = serving.recommend("ann", context="trending", record=False)
    shown_at = timezone.now() - timedelta(hours=1)
    served = tuple(
        ServedItem(item_pk=site.pks[item_id], position=place, source="popular", propensity=0.5 if place else 0.01)
        for place, item_id in enumerate(ids(made))
    )
    impression_rows.insert(
        [
            ServedList(
                request_id=made.request_id,
                shown_at=shown_at.timestamp(),
                user_id="ann",
                placement="trending",
                model_version="v1",
                rules_version=1,
                items=served,
            )
        ]
    )
    with site.commit():
        for item_id in ("heat", "clue"):
            event = EventInput(
                user_id="ann",
                item_id=item_id,
                event_type="watch",
                occurred_at=shown_at + timedelta(minutes=5),
                request_id=made.request_id,
            )
            assert [verdict.status for verdict in record([event])] == ["accepted"]
        written("hide", name="No crime", where="category=crime")
    # By now both are seen and in no list of hers.
    assert "heat" not in ids(serving.recommend("ann", context="trending", record=False))
    visit = begin("ann", record=False)
    drafted = Rulebook(visit.state.rulebook.revision, draft.read(), visit.state.catalogue)
    impressions, of_both = of_user(visit, drafted)
    assert impressions == len(served) == 9
    # Of nine, heat weighs 20 (its 100 is cut), the others 2; crime (heat, ronin, thief) is gone with the draft.
    assert of_both.tolist() == [[9, 20 + 8 * 2, 20 + 2, 400 + 8 * 4], [6, 6 * 2, 2, 6 * 4]]


def test_lists_about_an_item_are_left_out_and_the_impact_says_what_was_found(
    site: FilmSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def lists_of(user_id: str, n: int, *, placements: list[str], **_: Any) -> list[Any]:
        asked.append(placements)
        return []

    monkeypatch.setattr(impact_replay, "lists_of", lists_of)
    site.does("ann", ("watch", "alien"))
    found = measure([])
    assert "homepage" in asked[0]
    assert not {"product_page", "because_you_watched"} & set(asked[0])
    assert found.replay.obstacle.startswith("Of 0 logged impressions")
