from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from recommender import tasks
from recommender.models import ModelVersion, Shadow, ShadowList
from recommender.shadowing import lists

pytestmark = pytest.mark.django_db


def kept(days: float) -> ShadowList:
    trial, _ = Shadow.objects.get_or_create(
        version=ModelVersion.objects.get_or_create(name="v2", state="ready")[0], percent=5
    )
    return ShadowList(
        shadow=trial, request_id=uuid4(), user_id="ann", placement="homepage",
        shown_at=timezone.now() - timedelta(days=days), live_items=[1], shadow_items=[1], overlap=1,
        rank_biased_overlap=1, live_fallback=False, shadow_fallback=False, live_ms=1, shadow_ms=1,
    )  # fmt: skip


def test_lists_are_kept_for_a_week() -> None:
    old, young = kept(7.01), kept(6.99)
    lists.store([old, young], {}, {})
    assert tasks.forget_shadow_lists() == 1
    assert list(ShadowList.objects.all()) == [young]


def test_counts_add_up_and_the_last_error_stays() -> None:
    one = kept(0)
    lists.store([one], {one.shadow_id: 3}, {one.shadow_id: ["a", "b"]})
    lists.store([], {one.shadow_id: 1}, {one.shadow_id: ["x" * 2000]})
    trial = Shadow.objects.get()
    assert (trial.dropped, trial.failed, trial.error) == (4, 3, "x" * 1000)
