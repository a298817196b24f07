from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, transaction

from experiments.exposure import erase, record_first
from experiments.models import Experiment, Exposure
from interactions.contracts import ServedItem, ServedList
from interactions.impressions import record as record_impressions
from interactions.impressions import write_pending
from tests.experiments.conftest import Audience


def served(
    user_id: str = "ann",
    variant: str = "control",
    shown_at: float = 1_700_000_000.0,
    *,
    experiment_id: str = "varied",
    phase: int | None = 1,
    items: tuple[ServedItem, ...] = (),
    **more: Any,
) -> ServedList:
    return ServedList(
        request_id=uuid4(),
        shown_at=shown_at,
        user_id=user_id,
        placement="homepage",
        model_version="v1",
        rules_version=1,
        experiment_id=experiment_id,
        phase=phase,
        variant=variant,
        items=items,
        **more,
    )


def rows() -> list[tuple[str, int, str, float]]:
    """Return the exposures in the order in which they were written."""
    return [
        (exposure.unit, exposure.phase, exposure.variant, exposure.exposed_at.timestamp())
        for exposure in Exposure.objects.order_by("id")
    ]


def test_device_and_version_are_those_of_the_first_list(running: Experiment) -> None:
    later = served("ann", shown_at=20.0, device="desktop", app_version="2.0")
    record_first([later, served("ann", shown_at=10.0, device="mobile", app_version="3.1")])
    assert list(Exposure.objects.values_list("unit", "device", "app_version")) == [("ann", "mobile", "3.1")]


def test_the_first_exposure_of_each_unit_variant_and_phase_is_kept(running: Experiment) -> None:
    written = record_first(
        [
            served("bob", shown_at=30.5),
            served("ann", shown_at=20.0),
            served("ann", shown_at=10.0),
            served("ann", "diverse", shown_at=40.0),
            served("ann", phase=2, shown_at=50.0),
        ]
    )
    assert written == 4
    assert rows() == [
        ("ann", 1, "control", 10.0),
        ("ann", 1, "diverse", 40.0),
        ("bob", 1, "control", 30.5),
        ("ann", 2, "control", 50.0),
    ]


def test_what_is_known_is_left_alone(running: Experiment) -> None:
    assert record_first([served(shown_at=10.0)]) == 1
    assert record_first([served(shown_at=5.0), served("bob", shown_at=6.0)]) == 1
    assert rows() == [("ann", 1, "control", 10.0), ("bob", 1, "control", 6.0)]


def test_lists_outside_experiments_expose_nobody(running: Experiment) -> None:
    lists = [
        served(experiment_id="", phase=None, variant=""),
        served(""),
        served(phase=None),
        served(variant=""),
        served(experiment_id="deleted-meanwhile"),
    ]
    assert record_first(lists) == 0
    assert not Exposure.objects.exists()


def test_nothing_served_asks_nothing(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert record_first([]) == 0


def test_a_batch_is_one_query(running: Experiment, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert record_first([served(f"user-{number}") for number in range(500)]) == 500


@pytest.mark.parametrize(
    "broken", [served("nul\x00"), served("bob", shown_at=1e300), served(phase=2**40), served(variant="v" * 101)]
)
def test_what_postgres_cannot_hold_is_a_data_error_and_writes_nothing(running: Experiment, broken: ServedList) -> None:
    with pytest.raises(DataError), transaction.atomic():
        record_first([served(), broken])
    assert not Exposure.objects.exists()


def test_exposures_are_written_with_the_impressions(audience: Audience) -> None:
    item = ServedItem(item_pk=audience.item.pk, position=0, source="popular")
    record_impressions([served(items=(item,)), served("bob", "diverse", items=(item,))])
    assert write_pending(record_first) == 2
    assert [row[0] for row in rows()] == ["ann", "bob"]


def test_erasing_a_unit_leaves_the_others(running: Experiment) -> None:
    record_first([served("ann"), served("ann", "diverse"), served("bob")])
    assert erase("ann") == 2
    assert [row[0] for row in rows()] == ["bob"]
    assert erase("ann") == 0
