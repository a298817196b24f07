"""What a draft's variants would earn, estimated before anybody is shown them: asked for in admin, found by a worker.

Whoever can make the lists that variants would show finds it (`recommender.forecasting`); here it is asked for, kept
and read. A forecast holds for the configurations it was made for: with others it is asked for anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from catalog import waiting_jobs
from catalog.waiting_jobs import Tell
from experiments.exceptions import UnknownExperiment
from experiments.models import Experiment, Forecast

AS_IT_IS = ""
"""Stands for the placement without any variant."""


class Estimated(msgspec.Struct, frozen=True, kw_only=True):
    """What one estimator says."""

    estimator: str
    value: float
    low: float
    high: float
    """95 % interval."""


class OfVariant(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one variant."""

    variant: str
    """AS_IT_IS for the placement as it is."""
    obstacle: str = ""
    """Why there are no estimates; "" when there are."""
    covered: float = 0.0
    """Share of what it would show that could have been shown where it stands, 0..1."""
    effective_rows: float = 0.0
    estimates: tuple[Estimated, ...] = ()
    """The first is the one to go by."""
    low: float = 0.0
    high: float = 0.0
    """95 % interval of how much more it earns than the placement as it is, by that one."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of all variants."""

    event_type: str
    """What is counted: a shown item earns 1 if its list led to such an event with it, else 0."""
    users: int
    lists: int
    mixed: int
    """Lists left out because they mix variants: they have no propensities."""
    places: int
    """Items that those lists showed, which is what the estimates have as rows."""
    rate: float
    """What they earned in truth, each."""
    variants: tuple[OfVariant, ...]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be found."""

    experiment_id: str
    placement: str
    countries: str
    segments: str
    event_type: str
    configurations: tuple[tuple[str, dict[str, Any]], ...]
    """(variant, what it sets), in order."""


def asked_of(experiment_id: str) -> Asked:
    """Return what a forecast of an experiment, as it is declared now, is about.

    Raises
    ------
    UnknownExperiment
    """
    experiment = Experiment.objects.select_related("primary_metric").filter(experiment_id=experiment_id).first()
    if experiment is None:
        raise UnknownExperiment(experiment_id)
    return _asked(experiment)


def ask(experiment: Experiment, by: Any) -> Forecast:
    """Note that a forecast is wanted; beat finds it within ten seconds."""
    return Forecast.objects.create(experiment=experiment, asked=_plain(experiment), asked_by=by)


def newest(experiment: Experiment) -> Forecast | None:
    """Return the newest forecast of the experiment as it is declared now; None when there is none."""
    return Forecast.objects.filter(experiment=experiment, asked=_plain(experiment)).order_by("-pk").first()


def found(forecast: Forecast | None) -> Found | None:
    """Return what a forecast found, None while there is nothing."""
    return msgspec.convert(forecast.result, Found) if forecast is not None and forecast.result else None


def run_waiting(find: Callable[[Asked, int, Tell], Found]) -> int:
    """Find what was asked for; return how many forecasts that were.

    Parameters
    ----------
    find
        Is given what is asked, a seed, and what to tell its progress.
    """
    return waiting_jobs.run_waiting(
        Forecast, lambda job, tell: find(msgspec.convert(job.asked, Asked), int(job.pk), tell)
    )


def _plain(experiment: Experiment) -> Any:
    return msgspec.to_builtins(_asked(experiment), builtin_types=())


def _asked(experiment: Experiment) -> Asked:
    return Asked(
        experiment_id=experiment.experiment_id,
        placement=experiment.placement,
        countries=experiment.countries,
        segments=experiment.segments,
        event_type=experiment.primary_metric.event_type,
        configurations=tuple((variant.name, variant.configuration) for variant in experiment.variants.all()),
    )
