"""Rebuilds in admin: how far they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recommender.models import RebuildJob


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("engineer"))
    return client


def test_a_job_is_not_written_by_hand(staff: Client) -> None:
    assert staff.get("/admin/recommender/rebuildjob/add/").status_code == 403


def test_a_running_rebuild_shows_how_far_it_is_and_what_it_needs(staff: Client) -> None:
    now = timezone.now()
    stages = [{"stage": "reading", "at": 0.0, "memory": 5e8}, {"stage": "writing", "at": 30.0, "memory": 2.5e9}]
    RebuildJob.objects.create(
        state="done", stage="writing", stages=stages, leased_until=now, started_at=now,
        finished_at=now + timedelta(seconds=40),
    )  # fmt: skip
    running = RebuildJob.objects.create(stage="writing", stages=stages, leased_until=now)
    page = staff.get("/admin/recommender/rebuildjob/").content.decode()
    assert "75%" in page
    assert "2,500 MB" in page
    page = staff.get(f"/admin/recommender/rebuildjob/{running.pk}/change/").content.decode()
    assert "<tr><td>reading</td><td>30.0 s</td><td>500 MB</td></tr>" in page
    assert "75%" in page
