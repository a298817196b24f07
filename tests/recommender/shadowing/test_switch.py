from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from catalog import revisions
from recommender.exceptions import ModelUnavailable, RequestError
from recommender.models import ActiveModel, ModelVersion, Shadow
from recommender.shadowing import switch

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions() -> list[ModelVersion]:
    """Return v1, which serves, v2 and v3."""
    made = [ModelVersion.objects.create(name=f"v{number}", state="ready") for number in (1, 2, 3)]
    ActiveModel.objects.create(alias="default", version=made[0])
    return made


def revision() -> int:
    return revisions.from_database()[revisions.MODEL]


def running() -> list[tuple[str, int]]:
    return list(Shadow.objects.filter(stopped_at=None).values_list("version__name", "percent"))


def test_one_version_shadows_at_a_time(versions: list[ModelVersion]) -> None:
    _, second, third = versions
    first_trial = switch.start(second, 5, None)
    assert switch.start(second, 50, None) == first_trial
    assert running() == [("v2", 50)]
    switch.start(third, 1, None)
    assert running() == [("v3", 1)]
    first_trial.refresh_from_db()
    assert first_trial.stopped_at is not None
    assert (switch.stop(), switch.stop()) == (True, False)
    assert running() == []
    Shadow.objects.create(version=second, percent=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Shadow.objects.create(version=third, percent=1)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_beyond_all_is_refused(versions: list[ModelVersion], percent: int) -> None:
    with pytest.raises(RequestError, match="must be 0 to 100"):
        switch.start(versions[1], percent, None)
    assert not Shadow.objects.exists()


def test_what_serves_or_has_no_files_does_not_shadow(versions: list[ModelVersion]) -> None:
    first, second, third = versions
    switch.start(third, 5, None)
    with pytest.raises(ModelUnavailable, match="v1 serves: there is nothing to compare it with"):
        switch.start(first, 5, None)
    ModelVersion.objects.filter(pk=second.pk).update(state="retired")
    with pytest.raises(ModelUnavailable, match="v2 is files removed; only a ready version can shadow"):
        switch.start(second, 5, None)
    assert running() == [("v3", 5)]


def test_processes_are_told_of_starts_stops_and_percentages_and_not_of_counts(versions: list[ModelVersion]) -> None:
    told = [revision()]
    assert switch.current(told[-1]) is None
    switch.start(versions[1], 5, None)
    told.append(revision())
    shadow = switch.current(told[-1])
    assert shadow is not None
    assert (shadow.name, shadow.percent, shadow.version_pk) == ("v2", 5, versions[1].pk)
    switch.start(versions[1], 6, None)
    told.append(revision())
    Shadow.objects.update(dropped=F("dropped") + 1)
    assert revision() == told[-1]
    switch.stop()
    told.append(revision())
    assert told == sorted(set(told))
    assert switch.current(told[-1]) is None


def test_who_is_chosen_stays_chosen_and_a_higher_percentage_adds_others() -> None:
    def shadow(percent: int, pk: int = 7) -> switch.RunningShadow:
        return switch.RunningShadow(pk=pk, percent=percent, version_pk=1, name="v2", directory="", manifest_sha256="")

    users = [f"user {number}" for number in range(2_000)]
    taken = {percent: {user for user in users if shadow(percent).takes(user)} for percent in (0, 5, 50, 100)}
    assert (taken[0], taken[100]) == (set(), set(users))
    assert taken[5] < taken[50]
    # Within four standard deviations of 100 and of 1,000.
    assert abs(len(taken[5]) - 100) < 40
    assert abs(len(taken[50]) - 1_000) < 90
    assert {user for user in users if shadow(5).takes(user)} == taken[5]
    # Another trial takes others.
    assert {user for user in users if shadow(5, pk=8).takes(user)} != taken[5]
