from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIRequestFactory, force_authenticate

from catalog.api.errors import ApiError
from experiments.api.serializers import ReportSerializer
from experiments.api.views import ReportView
from experiments.models import Experiment
from tests.experiments.conftest import Audience


class Reader:
    """Somebody who may do anything."""

    is_authenticated = True


def get(experiment_id: str, **query: str) -> Any:
    """Answer without the site's keys and error shape, which are tested where they are."""
    request = APIRequestFactory().get("/", query)
    force_authenticate(request, user=Reader())

    class OpenView(ReportView):
        permission_classes = ()

        def handle_exception(self, exc: Exception) -> Any:
            raise exc

    return OpenView.as_view()(request, experiment_id=experiment_id)


def test_the_report_as_json(audience: Audience) -> None:
    audience.expose("control", ["ann"])
    audience.act("ann", request_id=audience.requests["ann", "control"])
    response = get("varied")
    assert response.status_code == 200
    assert response.data["experiment_id"] == "varied"
    assert response.data["decision"] == "too_early"
    assert response.data["arms"] == (
        {"variant": "control", "weight": 0.5, "users": 1, "expected_users": 0.5},
        {"variant": "diverse", "weight": 0.5, "users": 0, "expected_users": 0.5},
    )
    (metric,) = response.data["metrics"]
    assert metric["arms"][0] == {"variant": "control", "users": 1, "mean": 1.0}


def assert_described(serializer: Any, value: Any) -> None:
    """Every field of the answer is in the schema, and the other way round."""
    if isinstance(serializer, serializers.ListSerializer):
        for one in value:
            assert_described(serializer.child, one)
    elif isinstance(serializer, serializers.DictField):
        for one in value.values():
            assert_described(serializer.child, one)
    elif isinstance(serializer, serializers.Serializer):
        assert set(serializer.fields) == set(value)
        for name, field in serializer.fields.items():
            assert_described(field, value[name])


def test_the_schema_names_every_field_of_the_answer(audience: Audience) -> None:
    audience.expose("control", ["ann"])
    audience.expose("diverse", ["bob"])
    data = get("varied").data
    assert data["looks"]
    assert data["segments"]
    assert_described(ReportSerializer(), data)
    audience.expose("control", [f"c{number}" for number in range(40)])
    broken = get("varied").data
    assert broken["split_by"]
    assert_described(ReportSerializer(), broken)


def test_an_earlier_phase(running: Experiment) -> None:
    assert get("varied", phase="1").data["phase"] == 1


@pytest.mark.parametrize(("experiment_id", "query"), [("nothing", {}), ("varied", {"phase": "2"})])
def test_an_unknown_experiment_or_phase_is_404(running: Experiment, experiment_id: str, query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as error:
        get(experiment_id, **query)
    assert (error.value.status_code, error.value.code, error.value.field) == (
        404,
        "experiment_unknown",
        "experiment_id",
    )


@pytest.mark.parametrize("phase", ["0", "-1", "abc", "1.0", "", "²", "99999999999999999999", "2147483648"])
def test_an_impossible_phase_is_400(running: Experiment, phase: str) -> None:
    with pytest.raises(ApiError) as error:
        get("varied", phase=phase)
    assert (error.value.status_code, error.value.code, error.value.field) == (400, "phase_invalid", "phase")
    assert error.value.message == f"phase must be a whole number of 1 or more, not {phase!r}."
