"""The schedule: what settings start with, what editors make of it, and two beats beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from celery.schedules import crontab
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from interactions import announced
from recsite import beat
from recsite.celery import app

pytestmark = pytest.mark.django_db

NOON = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
TASKS = "/admin/django_celery_beat/periodictask/"


class Beat(beat.Scheduler):
    """A beat that notes what it sends, and has a connection of nobody."""

    def __init__(self, schedule: dict[str, Any]) -> None:
        self.sent: list[str] = []
        app.conf.beat_schedule = schedule
        super().__init__(app)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_: Any) -> None:
        self.sent.append(entry.name)

    def run(self) -> None:
        """Send everything that is due now."""
        for _ in range(20):
            if self.tick():
                return

    # The tests are one transaction; the real ones close connections and commit.
    def schedule_changed(self) -> bool:
        return False

    @property
    def producer(self) -> None:
        return None


@pytest.fixture(autouse=True)
def schedule_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
    kept = app.conf.beat_schedule
    yield
    app.conf.beat_schedule = kept


EVERY_MINUTE = {"minutely": {"task": "some.task", "schedule": 60.0, "options": {"expire_seconds": 50}}}


def test_every_task_of_the_settings_exists_and_expires_in_time() -> None:
    app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
        # Any other name is not an option of the database scheduler, which drops it without a word.
        assert set(entry.get("options", {})) <= {"expire_seconds"}
    Beat(settings.CELERY_BEAT_SCHEDULE)
    stored = {row.name: row for row in PeriodicTask.objects.all()}
    assert set(stored) == set(settings.CELERY_BEAT_SCHEDULE)
    assert stored["refresh-popularity-every-45-seconds"].expire_seconds == 45
    assert str(stored["rebuild-models-every-six-hours"].crontab.hour) == "*/6"
    assert stored["refresh-popularity-every-45-seconds"].interval.every == 45
    assert stored["refresh-content-vectors-every-hour"].crontab.minute == "37"


def test_an_event_is_popular_within_a_minute() -> None:
    """Ten seconds are left for counting: 5 million events take three."""
    schedule = settings.CELERY_BEAT_SCHEDULE["refresh-popularity-every-45-seconds"]["schedule"]
    assert schedule + announced.HELD_SECONDS <= 50


def test_an_editors_change_outlives_a_restart() -> None:
    Beat(EVERY_MINUTE)
    hourly, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.filter(name="minutely").update(interval=hourly, enabled=False, expire_seconds=7)
    Beat({**EVERY_MINUTE, "new": {"task": "other.task", "schedule": crontab(minute="5")}})
    row = PeriodicTask.objects.get(name="minutely")
    assert (row.interval, row.enabled, row.expire_seconds) == (hourly, False, 7)
    assert PeriodicTask.objects.get(name="new").crontab.minute == "5"


def test_two_beats_run_each_slot_once() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        one, other = Beat(EVERY_MINUTE), Beat(EVERY_MINUTE)
        sent = []
        for minute in range(1, 7):
            clock.move_to(NOON + timedelta(minutes=minute, seconds=minute))
            # Now this one is first, now that one; now and then one of them is away.
            for a_beat in ((one, other), (other, one), (one,), (other,), (one, other), (other, one))[minute - 1]:
                a_beat.run()
            sent.append((len(one.sent), len(other.sent)))
    assert [sum(both) for both in sent] == [1, 2, 3, 4, 5, 6]
    assert sent[-1][0] > 0 < sent[-1][1]
    assert PeriodicTask.objects.get().total_run_count == 6


def test_a_beat_that_starts_later_knows_what_has_run() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        one = Beat(EVERY_MINUTE)
        clock.move_to(NOON + timedelta(minutes=1))
        one.run()
        other = Beat(EVERY_MINUTE)
        other.run()
        one.close()
        assert (one.sent, other.sent) == (["minutely"], [])
        clock.move_to(NOON + timedelta(minutes=2))
        other.run()
        one.run()
    assert (one.sent, other.sent) == (["minutely"], ["minutely"])


@pytest.fixture
def staff() -> Client:
    Beat(settings.CELERY_BEAT_SCHEDULE)
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


def test_every_schedule_is_in_the_admin_in_its_theme(staff: Client) -> None:
    listed = staff.get(TASKS).text
    for name in settings.CELERY_BEAT_SCHEDULE:
        assert name in listed
    assert "unfold" in listed
    for model in ("intervalschedule", "crontabschedule", "solarschedule", "clockedschedule"):
        assert staff.get(f"/admin/django_celery_beat/{model}/").status_code == 200
        assert staff.get(f"/admin/django_celery_beat/{model}/add/").status_code == 200
    for schedule in (IntervalSchedule, CrontabSchedule):
        pk = schedule.objects.first().pk
        page = staff.get(f"/admin/django_celery_beat/{schedule.__name__.lower()}/{pk}/change/")
        assert page.status_code == 200


def test_an_editor_changes_a_schedule_and_switches_one_off(staff: Client) -> None:
    row = PeriodicTask.objects.get(name="rebuild-models-every-six-hours")
    page = staff.get(f"{TASKS}{row.pk}/change/")
    assert page.status_code == 200
    assert '<option value="recommender.tasks.rebuild_models"' in page.text
    daily = CrontabSchedule.objects.create(minute="0", hour="3")
    fields = {
        name: value for name, value in page.context["adminform"].form.initial.items() if value not in (None, False)
    }
    answer = staff.post(f"{TASKS}{row.pk}/change/", {**fields, "crontab": daily.pk, "regtask": "", "enabled": "on"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row.refresh_from_db()
    assert (row.crontab, row.task, row.enabled) == (daily, "recommender.tasks.rebuild_models", True)
    staff.post(TASKS, {"action": "disable_tasks", "_selected_action": [row.pk]})
    Beat(settings.CELERY_BEAT_SCHEDULE)
    row.refresh_from_db()
    assert (row.crontab, row.enabled) == (daily, False)


@pytest.mark.parametrize(
    ("field", "often"),
    [
        ("interval", lambda: IntervalSchedule.objects.create(every=1, period="seconds")),
        ("crontab", lambda: CrontabSchedule.objects.create(minute="*/5")),
    ],
)
def test_a_rebuild_every_second_is_refused_at_its_field(
    staff: Client, field: str, often: Callable[[], IntervalSchedule | CrontabSchedule]
) -> None:
    row = PeriodicTask.objects.get(name="rebuild-models-every-six-hours")
    before = PeriodicTask.objects.values().get(pk=row.pk)
    form = {"name": row.name, "task": row.task, "enabled": "on", "args": "[]", "kwargs": "{}", "headers": "{}"}
    answer = staff.post(f"{TASKS}{row.pk}/change/", {**form, field: often().pk})
    assert answer.context["adminform"].form.errors == {
        field: ["A rebuild takes minutes: leave at least 10 minutes between two."]
    }
    assert PeriodicTask.objects.values().get(pk=row.pk) == before
    # What else runs may run as often as it likes.
    other = PeriodicTask.objects.get(name="measure-impacts-every-ten-seconds")
    answer = staff.post(
        f"{TASKS}{other.pk}/change/", {**form, "name": other.name, "task": other.task, field: often().pk}
    )
    assert answer.status_code == 302


def test_an_interval_that_rebuilds_use_is_not_made_a_second(staff: Client) -> None:
    hours = IntervalSchedule.objects.create(every=6, period="hours")
    other = IntervalSchedule.objects.create(every=7, period="hours")
    PeriodicTask.objects.filter(name="rebuild-models-every-six-hours").update(crontab=None, interval=hours)
    for schedule, status in ((hours, 200), (other, 302)):
        form = {
            "every": "1",
            "period": "seconds",
            "periodictask_set-TOTAL_FORMS": 0,
            "periodictask_set-INITIAL_FORMS": 0,
        }
        answer = staff.post(f"/admin/django_celery_beat/intervalschedule/{schedule.pk}/change/", form)
        assert answer.status_code == status
    assert list(IntervalSchedule.objects.filter(pk=hours.pk).values_list("every", "period")) == [(6, "hours")]


def test_a_task_that_was_switched_on_again_can_be_claimed() -> None:
    """The admin's action forgets when it ran last."""
    Beat(EVERY_MINUTE)
    PeriodicTask.objects.update(last_run_at=None)
    entry = beat.ClaimedEntry(PeriodicTask.objects.get(), app=app)
    assert entry.claim()
    assert PeriodicTask.objects.get().last_run_at <= timezone.now()
