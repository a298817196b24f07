from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from django.db import connection

from catalog.models import Item
from interactions import event_types
from interactions.models import EventType, UserProfile
from recommender.training import dataset
from recommender.training.dataset import Interactions, interactions
from tests.recommender.worlds import interactions_of

NAN = float("nan")


def of_events(*events: tuple[int, int, float, float], n_users: int = 3, n_items: int = 4) -> Interactions:
    """Return the interactions of (user, item, weight, time) events."""
    users, items, weights, moments = (np.array(column) for column in zip(*events, strict=True))
    return interactions(
        users=users.astype(np.int64),
        items=items.astype(np.int64),
        weights=weights.astype(np.float32),
        occurred_at=moments.astype(np.float64),
        n_users=n_users,
        n_items=n_items,
    )


def as_tuples(data: Interactions) -> list[tuple[int, int, float, float]]:
    return list(
        zip(data.users.tolist(), data.items.tolist(), data.weights.tolist(), data.occurred_at.tolist(), strict=True)
    )


def test_pairs_stand_once_by_user_then_by_time() -> None:
    data = of_events((1, 0, 0.5, 9.0), (0, 2, 1.0, 5.0), (1, 3, 1.0, 2.0), (0, 1, 1.0, 4.0), (1, 0, 1.5, 1.0))
    # User 1 took item 0 twice: at 9 for the last time, with 1.5 at most.
    assert as_tuples(data) == [(0, 1, 1.0, 4.0), (0, 2, 1.0, 5.0), (1, 3, 1.0, 2.0), (1, 0, 1.5, 9.0)]
    assert (len(data), data.n_users, data.n_items) == (4, 3, 4)


def test_a_pair_that_ends_in_dislike_is_left_out() -> None:
    data = of_events((0, 1, 1.0, 1.0), (0, 1, -1.0, 2.0), (0, 2, -1.0, 1.0), (0, 2, 1.0, 2.0))
    assert as_tuples(data) == [(0, 2, 1.0, 2.0)]


def test_nothing_is_an_empty_set_that_keeps_its_size() -> None:
    nothing = np.empty(0, dtype=np.int64)
    data = interactions(
        users=nothing,
        items=nothing,
        weights=np.empty(0, np.float32),
        occurred_at=np.empty(0, np.float64),
        n_users=0,
        n_items=3,
    )
    assert (len(data), data.n_items, data.matrix().shape) == (0, 3, (0, 3))


def test_the_matrix_holds_the_weights() -> None:
    matrix = of_events((1, 0, 0.5, 9.0), (0, 2, 1.0, 5.0), (1, 3, 1.5, 2.0)).matrix()
    assert matrix.toarray().tolist() == [[0, 0, 1, 0], [0.5, 0, 0, 1.5], [0, 0, 0, 0]]
    assert matrix.dtype == np.float32


def test_a_users_pairs_are_a_slice() -> None:
    data = interactions_of((0, 1), (2, 0), (2, 3), n_users=4)
    assert data.user_starts().tolist() == [0, 1, 1, 3, 3]


def test_taking_some_pairs_keeps_the_rows() -> None:
    data = interactions_of((0, 1), (2, 0), (2, 3))
    taken = data.take(np.array([False, True, False]))
    assert (taken.users.tolist(), taken.items.tolist(), taken.n_users, taken.n_items) == ([2], [0], 3, 4)


def insert(user: UserProfile, item_pk: int, type_pk: int, minute: int, value: float | None = None) -> None:
    """Write an event as `recording` would, also one that it would refuse."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, value) "
            "VALUES (gen_random_uuid(), %s, %s, %s, %s, %s)",
            [datetime(2026, 1, 1, 0, minute, tzinfo=UTC), user.pk, item_pk, type_pk, value],
        )


@pytest.mark.django_db
def test_events_come_out_of_postgres_as_they_went_in() -> None:
    ann, bob, cat = (UserProfile.objects.create(user_id=name) for name in ("ann", "bob", "cat"))
    heat, up, gone = (Item.objects.create(item_id=name, title=name).pk for name in ("heat", "up", "gone"))
    item_pks = np.array([heat, up])
    types = {name: pk for pk, name in EventType.objects.values_list("id", "name")}
    insert(bob, up, types["watch"], 30)
    insert(ann, up, types["view"], 10)
    insert(ann, heat, types["watch"], 20)
    insert(ann, up, types["like"], 5)
    insert(bob, heat, types["impression"], 1)
    insert(bob, heat, types["watch"], 2)
    insert(bob, heat, types["not_interested"], 3)
    insert(cat, gone, types["watch"], 1)
    insert(cat, heat, max(types.values()) + 1, 1)

    data, user_pks = dataset.load(item_pks, event_types.load(1).weights_of)

    assert user_pks.tolist() == [ann.pk, bob.pk]
    midnight = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    # Ann's two events with Up: the newest is the view, the largest weight that of the like. Bob dislikes Heat.
    # Cat's events are with an item that is not in the catalogue, and of a type that does not exist.
    assert as_tuples(data) == [
        (0, 1, pytest.approx(1.2), midnight + 600),
        (0, 0, 1.0, midnight + 1200),
        (1, 1, 1.0, midnight + 1800),
    ]
    assert (data.n_users, data.n_items) == (2, 2)


@pytest.mark.django_db
def test_weights_are_asked_for_with_the_values() -> None:
    ann = UserProfile.objects.create(user_id="ann")
    pks = [Item.objects.create(item_id=name, title=name).pk for name in "abc"]
    rating = EventType.objects.get(name="rating").pk
    for minute, (pk, value) in enumerate(zip(pks, (4.5, None, 2.0), strict=True)):
        insert(ann, pk, rating, minute, value)
    asked: list[Any] = []

    def weights_of(type_ids: Any, values: Any) -> Any:
        asked.extend(zip(type_ids.tolist(), values.tolist(), strict=True))
        return np.nan_to_num(values, nan=1.0).astype(np.float32)

    data, _ = dataset.load(np.array(pks), weights_of)
    assert sorted(asked, key=str) == [(rating, 2.0), (rating, 4.5), (rating, pytest.approx(NAN, nan_ok=True))]
    assert data.weights.tolist() == [4.5, 1.0, 2.0]


@pytest.mark.django_db
def test_no_events_are_no_interactions() -> None:
    data, user_pks = dataset.load(np.array([1, 2]), event_types.load(1).weights_of)
    assert (len(data), data.n_users, data.n_items, user_pks.tolist()) == (0, 0, 2, [])
