"""The figures, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import log2
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from catalog.models import Item
from interactions.models import EventType
from interactions.recording import EventInput, record
from recommender.models import ModelVersion, Shadow, ShadowList
from recommender.shadowing.report import report

pytestmark = pytest.mark.django_db


@pytest.fixture
def trial() -> Shadow:
    return Shadow.objects.create(version=ModelVersion.objects.create(name="v2", state="ready"), percent=5)


@pytest.fixture
def pks() -> dict[str, int]:
    return {item_id: Item.objects.create(item_id=item_id, title=item_id).pk for item_id in "abc"}


def compared(
    trial: Shadow, number: int, live: Sequence[int], shadow: Sequence[int], user_id: str = "ann", **fields: Any
) -> None:
    ShadowList.objects.create(
        **{
            "shadow": trial, "request_id": UUID(int=number), "user_id": user_id, "placement": "homepage",
            "shown_at": timezone.now(), "live_items": list(live), "shadow_items": list(shadow), "overlap": 0.5,
            "rank_biased_overlap": 0.25, "live_fallback": False, "shadow_fallback": False, "live_ms": 10.0,
            "shadow_ms": 20.0,
        } | fields
    )  # fmt: skip


def takes(user_id: str, number: int, *item_ids: str) -> None:
    """Record that a user watched items of a list."""
    verdicts = record(
        [EventInput(user_id, item_id, "watch", timezone.now(), request_id=UUID(int=number)) for item_id in item_ids]
    )
    assert {verdict.status for verdict in verdicts} == {"accepted"}


def test_before_the_first_list_there_is_nothing(trial: Shadow) -> None:
    assert report(trial) is None


def test_lists_are_counted_together_and_by_placement(trial: Shadow) -> None:
    compared(trial, 1, [1, 2], [1, 2], overlap=1.0, rank_biased_overlap=1.0, live_ms=10, shadow_ms=20)
    compared(trial, 2, [1, 2], [], overlap=0.0, rank_biased_overlap=0.0, live_ms=20, shadow_ms=40, live_fallback=True)
    compared(
        trial, 3, [1, 2], [2, 3], placement="other", overlap=0.5, rank_biased_overlap=0.2, live_ms=60, shadow_ms=60,
        shadow_fallback=True,
    )  # fmt: skip
    another = Shadow.objects.create(version=trial.version, percent=5, stopped_at=timezone.now())
    compared(another, 4, [1], [1])
    found = report(trial)
    assert found is not None
    together, (home, other) = found.all_lists, found.placements
    assert (together.placement, home.placement, other.placement) == (None, "homepage", "other")
    assert (together.lists, home.lists, other.lists) == (3, 2, 1)
    assert (together.overlap, together.rank_biased_overlap) == (0.5, pytest.approx(0.4))
    assert (together.identical, together.empty) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (together.live_fallback, together.shadow_fallback) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (home.identical, home.empty, home.live_fallback, home.shadow_fallback) == (0.5, 0.5, 0.5, 0.0)
    # 95 % of the way from 10 over 20 to 60: 20 + 0.9 · 40.
    assert (together.live_p50, together.live_p95) == (20, pytest.approx(56))
    # 20, 40, 60: 40 + 0.9 · 20.
    assert (together.shadow_p50, together.shadow_p95) == (40, pytest.approx(58))
    assert found.replayed is None


def test_what_people_took_is_found_in_both_lists(trial: Shadow, pks: dict[str, int]) -> None:
    a, b, c = (pks[item_id] for item_id in "abc")
    # ann: live has a first, the shadow second; then both have b first, and she takes it twice.
    compared(trial, 1, [a, b, c], [b, a, c])
    compared(trial, 2, [b, a], [b, c])
    takes("ann", 1, "a")
    takes("ann", 2, "b")
    takes("ann", 2, "b")
    # bob: live has c third, the shadow not at all. Nothing is known of the fourth list.
    compared(trial, 3, [a, b, c], [a, b], user_id="bob")
    takes("bob", 3, "c")
    compared(trial, 4, [a], [b], user_id="bob")
    found = report(trial)
    assert found is not None
    replayed = found.replayed
    assert replayed is not None
    assert (replayed.lists, replayed.users) == (3, 2)
    # ann's mean is 1 live and (1 / log2 3 + 1) / 2 in the shadow, bob's 1 / log2 4 and 0; users count alike.
    ann = (1 / log2(3) + 1) / 2
    assert replayed.live_ndcg.mean == pytest.approx((1 + 0.5) / 2)
    assert replayed.shadow_ndcg.mean == pytest.approx(ann / 2)
    assert replayed.ndcg_change.mean == pytest.approx((ann - 1 - 0.5) / 2)
    assert (replayed.live_hits.mean, replayed.shadow_hits.mean, replayed.hits_change.mean) == (1.0, 0.5, -0.5)
    # Of two users drawn twice, both may be bob, or ann.
    assert (replayed.ndcg_change.low, replayed.ndcg_change.high) == (pytest.approx(-0.5), pytest.approx(ann - 1))


def test_what_is_taken_long_after_or_disliked_does_not_count(trial: Shadow, pks: dict[str, int]) -> None:
    compared(trial, 1, [pks["a"]], [pks["a"]], shown_at=timezone.now() - timedelta(days=2))
    takes("ann", 1, "a")
    EventType.objects.create(name="dislike", weight=-1)
    compared(trial, 2, [pks["b"]], [pks["b"]])
    [verdict] = record([EventInput("ann", "b", "dislike", timezone.now(), request_id=UUID(int=2))])
    assert verdict.status == "accepted"
    found = report(trial)
    assert found is not None
    assert found.replayed is None
