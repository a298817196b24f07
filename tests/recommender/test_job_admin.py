"""Rebuilds in admin: how far they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender.models import ModelVersion, RebuildJob, RebuildRequest

NOW = "/admin/recommender/rebuildjob/now/"
REFRESH = '<meta http-equiv="refresh"'


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


def test_a_rebuild_is_asked_for_once_and_followed(staff: Client) -> None:
    assert "Rebuild now" in staff.get(NOW).text
    assert REFRESH not in staff.get(NOW).text
    assert "A rebuild is asked for." in staff.post(NOW, follow=True).text
    assert "under way already: one is enough" in staff.post(NOW, follow=True).text
    asked = RebuildRequest.objects.get()
    assert asked.asked_by is not None
    assert asked.asked_by.username == "engineer"
    page = staff.get(NOW).text
    assert ("Nobody has picked it up yet" in page, REFRESH in page, 'id="nobody"' in page) == (True, True, False)
    RebuildRequest.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
    assert "celery --app recsite worker" in staff.get(NOW).text

    job = RebuildJob.objects.create(stage="writing", leased_until=timezone.now() + timedelta(minutes=2))
    RebuildRequest.objects.update(job=job)
    page = staff.get(NOW).text
    assert ('id="stage"' in page, "Writing" in page, REFRESH in page, "<form method" in page) == (
        True,
        True,
        True,
        False,
    )

    version = ModelVersion.objects.create(name="v7", state="refused", gate_reasons=["NDCG fell"])
    RebuildJob.objects.update(state="done", version=version, finished_at=timezone.now())
    page = staff.get(NOW).text
    assert ("The gate refused" in page, "NDCG fell" in page, REFRESH in page) == (True, True, False)
    assert f"/admin/recommender/modelversion/{version.pk}/change/" in page


def test_a_rebuild_to_be_held_back_says_so(staff: Client) -> None:
    staff.post(NOW, {"do": "hold"})
    assert not RebuildRequest.objects.get().publishes
    now = timezone.now()
    version = ModelVersion.objects.create(name="v7", state="ready")
    job = RebuildJob.objects.create(state="done", version=version, leased_until=now, finished_at=now)
    RebuildRequest.objects.update(job=job)
    page = staff.get(NOW).text
    assert ("is held back as" in page, "It was published" in page) == (True, False)
    RebuildRequest.objects.update(publishes=True)
    page = staff.get(NOW).text
    assert ("is held back as" in page, "It was published" in page) == (False, True)


def test_a_rebuild_that_failed_says_why(staff: Client) -> None:
    now = timezone.now()
    RebuildJob.objects.create(state="failed", stage="writing", error="disk <full>", leased_until=now, finished_at=now)
    assert "It failed at writing after 0 s: disk &lt;full&gt;" in staff.get(NOW).text


def test_who_may_not_rebuild_asks_for_nothing(client: Client, db: None) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.groups.add(Group.objects.get(name="Viewers"))
    client.force_login(viewer)
    assert client.get(NOW).status_code == 403
    assert client.post(NOW).status_code == 403
    assert not RebuildRequest.objects.exists()
    assert "Rebuild now" not in client.get("/admin/recommender/rebuildjob/").text
    assert "Rebuild now" not in client.get("/admin/recommender/modelversion/").text
    viewer.groups.add(Group.objects.get(name="ML engineers"))
    assert "Rebuild now" in client.get("/admin/recommender/rebuildjob/").text
    assert "Rebuild now" in client.get("/admin/recommender/modelversion/").text
    assert client.get(NOW).status_code == 200


def test_a_list_of_failures_takes_no_query_each(staff: Client, django_assert_num_queries: Any) -> None:
    now = timezone.now()
    for number in range(3):
        RebuildJob.objects.create(state="failed", stage="writing", leased_until=now, started_at=now, finished_at=now)
        if number == 0:
            with CaptureQueriesContext(connection) as few:
                staff.get("/admin/recommender/rebuildjob/")
    with django_assert_num_queries(len(few)):
        staff.get("/admin/recommender/rebuildjob/")
