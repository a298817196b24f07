"""Hand-sized experiments, exposures, impressions and events, written as rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from catalog.models import Item
from experiments import configurations, lifecycle
from experiments.models import Experiment, Exposure, Metric, Variant
from interactions.models import Event, EventType, Impression, UserProfile


@pytest.fixture(autouse=True)
def experiments_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let variants say what they like: what can be applied is the recommender's to tell."""
    monkeypatch.setattr(configurations, "_checks", [])


@pytest.fixture
def metric(db: None) -> Metric:
    """Share of users with an attributed "watch"."""
    return Metric.objects.create(name="watch-through", event_type="watch")


@pytest.fixture
def draft(metric: Metric) -> Experiment:
    """Two arms of equal weight on the home page."""
    experiment: Experiment = Experiment.objects.create(
        experiment_id="varied", name="More variety", placement="homepage", primary_metric=metric
    )
    Variant.objects.create(experiment=experiment, name="control", position=0)
    Variant.objects.create(experiment=experiment, name="diverse", position=1, configuration={"recipe": "diverse"})
    return experiment


@pytest.fixture
def running(draft: Experiment) -> Experiment:
    """The same, started."""
    lifecycle.start(draft.experiment_id)
    draft.refresh_from_db()
    return draft


@dataclass(kw_only=True)
class Audience:
    """Writes what people saw and did in one experiment, in minutes after its start."""

    experiment: Experiment
    item: Item
    requests: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def at(self, minutes: float) -> datetime:
        started_at = self.experiment.started_at
        assert started_at is not None
        return started_at + timedelta(minutes=minutes)

    def expose(self, variant: str, units: Iterable[str], *, minutes: float = 1, phase: int | None = None) -> None:
        """Expose units to a variant: an exposure and one impression each."""
        phase = phase or self.experiment.phase
        for unit in units:
            UserProfile.objects.get_or_create(user_id=unit)
            request_id = self.requests[unit, variant] = uuid4()
            Exposure.objects.create(
                experiment=self.experiment, phase=phase, unit=unit, variant=variant, exposed_at=self.at(minutes)
            )
            for position in (0, 1):
                Impression.objects.create(
                    shown_at=self.at(minutes),
                    request_id=request_id,
                    user_id_text=unit,
                    item=self.item,
                    placement="homepage",
                    position=position,
                    source="popular",
                    model_version="v1",
                    rules_version=1,
                    experiment_id=self.experiment.experiment_id,
                    phase=phase,
                    variant=variant,
                )

    def act(
        self,
        unit: str,
        event_type: str = "watch",
        *,
        minutes: float = 2,
        value: float | None = None,
        request_id: UUID | None = None,
    ) -> None:
        """Write one event."""
        self.act_all([unit], event_type, minutes=minutes, value=value, request_id=request_id)

    def act_all(
        self,
        units: Iterable[str],
        event_type: str = "watch",
        *,
        minutes: float = 2,
        value: float | None = None,
        request_id: UUID | None = None,
    ) -> None:
        """Write one event of each unit."""
        kind = EventType.objects.get(name=event_type)
        Event.objects.bulk_create(
            Event(
                occurred_at=self.at(minutes),
                user=user,
                item=self.item,
                event_type=kind,
                value=value,
                request_id=request_id,
                received_at=timezone.now(),
            )
            for user in UserProfile.objects.filter(user_id__in=list(units))
        )


@pytest.fixture
def audience(running: Experiment) -> Audience:
    """People to expose to the running experiment."""
    return Audience(experiment=running, item=Item.objects.create(item_id="film", title="A film"))
