"""What training re-enacts of a moment is what the features' definitions say of that moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from catalog import revisions, snapshot
from catalog.models import Item
from catalog.snapshot import Catalogue
from interactions import event_types, features, popularity
from interactions.contracts import EventInput
from interactions.models import EventType, UserProfile
from interactions.recording import record
from recommender import history
from recommender.contracts import History
from recommender.training import dataset, popularity_over_time, split
from recommender.training.dataset import Interactions
from recommender.training.evaluation import history_of

START = datetime(2026, 3, 1, tzinfo=UTC)
FILMS = ("heat", "ronin", "thief", "alien", "up", "clue")


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


@pytest.fixture
def catalogue(db: None, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    for film in FILMS:
        Item.objects.create(item_id=film, title=film)
    return snapshot.load(revisions.from_database()[revisions.CATALOGUE])


def act(user_id: str, film: str, kind: str, hour: float, value: float | None = None) -> None:
    record([EventInput(user_id, film, kind, at(hour), value=value)])


def types() -> event_types.EventTypes:
    return event_types.load(revisions.from_database()[revisions.EVENT_TYPES])


def training_data(catalogue: Catalogue) -> tuple[Interactions, dict[str, int]]:
    """Return the pairs, and the row of each user."""
    data, user_pks = dataset.load(catalogue.pks, types().weights_of)
    pks = dict(UserProfile.objects.values_list("user_id", "pk"))
    return data, {user_id: int(np.searchsorted(user_pks, pk)) for user_id, pk in pks.items()}


def served(user_id: str, moment: datetime, catalogue: Catalogue) -> History:
    """Return what serving would have known of the user at that moment."""
    user = features.as_of(user_id, moment)
    weights = types().weights_of(user.type_ids, user.values)
    return history.build(user.item_pks, weights, user.occurred_at, user.seen_pks, catalogue)


def films(one: History, catalogue: Catalogue) -> list[tuple[str, float, float]]:
    """Return (film, weight, hour), newest first."""
    hours = (one.occurred_at - START.timestamp()) / 3600
    return [
        (catalogue.cards[row].item_id, round(float(weight), 4), float(hour))
        for row, weight, hour in zip(one.rows, one.weights, hours, strict=True)
    ]


def test_the_history_training_asks_with_is_the_one_serving_would_have_had(catalogue: Catalogue) -> None:
    act("ann", "heat", "click", 1)
    act("ann", "heat", "watch", 2)
    act("ann", "ronin", "rating", 3, value=2.0)
    act("ann", "thief", "watch", 4)
    act("ann", "thief", "not_interested", 5)
    act("ann", "alien", "watch", 6)
    act("ann", "up", "purchase", 7)
    # Of five pairs one is held out: the newest.
    act("ann", "clue", "watch", 8)
    data, users = training_data(catalogue)
    past = data.take(~split.last_share_by_user(data))
    asked = history_of(past, past.user_starts(), users["ann"])
    expected = [("up", 1.5, 7.0), ("alien", 1.0, 6.0), ("ronin", 0.2, 3.0), ("heat", 1.0, 2.0)]
    assert films(asked, catalogue) == expected
    assert films(served("ann", at(7), catalogue), catalogue) == expected


def test_training_knows_less_of_what_is_taken_again_later_and_never_more(catalogue: Catalogue) -> None:
    """A pair stands once, at its newest event: held out, its earlier events are held out with it."""
    for hour, film in enumerate(("heat", "alien", "up", "ronin")):
        act("bob", film, "click", hour)
    act("bob", "heat", "watch", 9)
    act("bob", "clue", "watch", 5)
    data, users = training_data(catalogue)
    past = data.take(~split.last_share_by_user(data))
    asked = films(history_of(past, past.user_starts(), users["bob"]), catalogue)
    known = films(served("bob", at(5), catalogue), catalogue)
    assert set(known) - set(asked) == {("heat", 0.2, 0.0)}
    assert set(asked) <= set(known)


def test_popularity_over_time_counts_what_popularity_counted_then(
    catalogue: Catalogue, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing fades and no pair comes again: by each of training's moments, so many users had taken each item."""
    settings.INTERACTIONS_POPULARITY_HALF_LIFE_DAYS = 10_000.0
    EventType.objects.filter(name="watch").update(weight=1.0)
    monkeypatch.setattr(popularity_over_time, "MOMENTS", 4)
    taken = ("heat", "up", "heat", "alien", "heat", "up", "clue", "heat")
    for hour, film in enumerate(taken):
        act(f"user-{hour}", film, "watch", hour)
    data, _ = training_data(catalogue)
    made = popularity_over_time.train(data)
    moments = made["popularity_over_time.moments"]
    assert len(moments) == 3
    for row, moment in enumerate(moments):
        counted, _ = popularity.as_of(datetime.fromtimestamp(moment, UTC))
        expected = [counted.get(int(pk), 0.0) for pk in catalogue.pks]
        assert made["popularity_over_time.counts"][row + 1].tolist() == pytest.approx(expected, abs=1e-3)
    assert made["popularity_over_time.counts"][-1].sum() == len(taken)
