"""Something new, end to end: in lists without a rebuild, and a week of additions of which next to none stays unseen."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from catalog.importing import upsert_items
from catalog.models import Item
from catalog.records import item_record
from interactions import explored
from interactions.models import Impression
from interactions.recording import EventInput, record
from recommender import rebuilding, serving, tasks
from tests.recommender.conftest import Commit
from tests.recommender.film_site import ids

SUBJECTS = {
    "space": "astronauts on a distant planet meet an alien aboard their drifting starship".split(),
    "crime": "detective hunts a thief after the robbery of a bank and its hidden vault".split(),
    "love": "two strangers fall in romance during a summer wedding beside the harbour".split(),
    "war": "soldiers hold the last bridge against enemy tanks through one frozen winter night".split(),
    "music": "young pianist joins a jazz orchestra on tour with her jealous rival conductor".split(),
    "nature": "wolves cross the northern forest while rivers thaw under early migrating geese".split(),
}
FILMS_A_SUBJECT = 16
USERS_A_SUBJECT = 8
DAYS = 7
ADDED_A_DAY = 8
STEP_HOURS = 4
LISTS_A_STEP = 6


def describe(subject: str, chance: random.Random) -> str:
    """Return a description in the words of a subject."""
    return " ".join(chance.sample(SUBJECTS[subject], 8))


@pytest.fixture
def started(db: None, models: Path, commit: Commit) -> datetime:
    """Build a model of a catalogue that has been there for a month; return the moment after which everything is new."""
    chance = random.Random(1)
    start = timezone.now() - timedelta(days=DAYS + 1)
    with commit():
        upsert_items(
            [
                item_record(
                    {
                        "item_id": f"{subject}-{number}",
                        "title": f"Film {subject} {number}",
                        "description": describe(subject, chance),
                        "category": subject,
                    }
                )
                for subject in SUBJECTS
                for number in range(FILMS_A_SUBJECT)
            ]
        )
        Item.objects.update(created_at=start - timedelta(days=30))
        record(
            [
                EventInput(f"{subject}-fan-{user}", f"{subject}-{film}", "watch", start - timedelta(minutes=film))
                for subject in SUBJECTS
                for user in range(USERS_A_SUBJECT)
                for film in chance.sample(range(FILMS_A_SUBJECT), 8)
            ]
        )
        assert rebuilding.rebuild("test", force=True).published
    return start


def add(commit: Commit, item_id: str, subject: str, description: str, added_at: datetime) -> None:
    """Add an item that has a title, a category and a description."""
    fields = {"item_id": item_id, "title": f"New {item_id}", "category": subject, "description": description}
    with commit():
        upsert_items([item_record(fields)])
        Item.objects.filter(item_id=item_id).update(created_at=added_at)


def test_a_new_item_with_a_description_is_in_a_carousel_without_a_rebuild(
    started: datetime, commit: Commit, settings: django_settings
) -> None:
    settings.RECOMMENDER_EXPLORATION = False
    told = Item.objects.get(item_id="space-1").description
    add(commit, "dune", "space", f"A tale of {told}", timezone.now())
    like = serving.similar_to("space-1", limit=20)
    assert (like.fallback, "dune" in ids(like)) == (False, True)
    # It can be what a list is about as well, and what a history is made of.
    about = serving.similar_to("dune", limit=10)
    assert {item_id.split("-")[0] for item_id in ids(about)} == {"space"}
    assert {item.reason for item in about.items} == {"Similar to New dune"}
    with commit():
        record([EventInput("newcomer", "dune", "watch", timezone.now())])
    made = serving.recommend("newcomer")
    assert not made.fallback
    assert "Because you watched New dune" in {item.reason for item in made.items}


def test_an_edited_item_is_found_by_what_it_says_now_without_a_rebuild(started: datetime, commit: Commit) -> None:
    edited = Item.objects.get(item_id="love-2")
    model = Item.objects.get(item_id="space-1")

    def likeness() -> float:
        return {item.item_id: item.score for item in serving.similar_to("space-1", limit=100).items}["love-2"]

    before = likeness()
    fields = {"item_id": "love-2", "title": "Film love 2"}
    with commit():
        upsert_items([item_record({**fields, "category": "space", "description": model.description})])
    assert likeness() > before + 0.05
    with commit():
        upsert_items([item_record({**fields, "category": "love", "description": edited.description})])
    assert likeness() == pytest.approx(before, abs=1e-4)


def test_of_a_week_of_new_items_nearly_all_are_shown_to_somebody(
    started: datetime, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight items and 36 lists a day, 144 on the last one (eight items leave nothing to chance), and no rebuild."""
    chance = random.Random(3)
    users = [f"{subject}-fan-{user}" for subject in SUBJECTS for user in range(USERS_A_SUBJECT)]
    added_at: dict[str, datetime] = {}
    for hour in range(0, 24 * DAYS, STEP_HOURS):
        now = started + timedelta(hours=hour)
        monkeypatch.setattr(time, "time", lambda now=now: now.timestamp())
        while len(added_at) < (hour + STEP_HOURS) * ADDED_A_DAY // 24:
            item_id = f"new-{len(added_at)}"
            added_at[item_id] = now
            subject = chance.choice(list(SUBJECTS))
            add(commit, item_id, subject, describe(subject, chance), now)
        for _ in range(LISTS_A_STEP * (4 if hour >= 24 * (DAYS - 1) else 1)):
            user_id = chance.choice(users)
            made = serving.recommend(user_id)
            if chance.random() < 0.2:
                with commit():
                    record([EventInput(user_id, chance.choice(ids(made)), "click", now)])
        with commit():
            tasks.write_impressions()
        explored.refresh()
    shown = set(Impression.objects.values_list("item__item_id", flat=True))
    last_day = {item_id for item_id, at in added_at.items() if at >= started + timedelta(days=DAYS - 1)}
    assert len(last_day) == ADDED_A_DAY
    assert len(last_day & shown) >= 0.9 * len(last_day)
    assert len(shown & added_at.keys()) >= 0.98 * len(added_at)
