from __future__ import annotations

import pytest

from experiments import demo, queries
from experiments.models import Experiment, Metric, Phase, Variant


@pytest.mark.django_db
def test_the_demo_experiment_runs() -> None:
    assert demo.create() is True
    (running,) = queries.load_running()
    assert (running.experiment_id, running.phase, running.placements) == ("homepage-recipe", 1, {"homepage"})
    assert [(arm.variant, arm.configuration) for arm in running.arms] == [
        ("control", {}),
        ("diverse", {"recipe": "personalized_diverse"}),
    ]
    assert Experiment.objects.get().primary_metric.name == "watch-through"


@pytest.mark.django_db
def test_a_second_creation_changes_nothing() -> None:
    def state() -> list[list[dict[str, object]]]:
        return [list(model.objects.values()) for model in (Experiment, Variant, Metric, Phase)]

    demo.create()
    before = state()
    assert demo.create() is False
    assert state() == before
