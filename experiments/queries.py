"""What other apps read of experiments."""

from __future__ import annotations

from django.db.models import F

from catalog.process_copy import ProcessCopy
from experiments.assignment import RunningExperiment, prepare
from experiments.models import Experiment, Phase


def load_running() -> tuple[RunningExperiment, ...]:
    """Read the running experiments from Postgres (two queries), oldest first.

    Arms and weights are those recorded when the phase began: assignment stands still within a phase whatever is edited.
    """
    phases = (
        Phase.objects.filter(experiment__status=Experiment.Status.RUNNING, number=F("experiment__phase"))
        .select_related("experiment")
        .prefetch_related("experiment__variants")
        .order_by("experiment_id")
    )
    return tuple(
        prepare(
            experiment_id=phase.experiment.experiment_id,
            phase=phase.number,
            placement=phase.experiment.placement,
            coverage=phase.experiment.coverage,
            weights=[(name, weight) for name, weight in phase.weights],
            configurations={variant.name: variant.configuration for variant in phase.experiment.variants.all()},
            countries=phase.experiment.countries,
            segments=phase.experiment.segments,
            layer=phase.experiment.layer,
            layer_range=(phase.experiment.layer_start, phase.experiment.layer_end),
            sticky=phase.experiment.sticky,
            interleaves=phase.experiment.kind == Experiment.Kind.INTERLEAVING,
        )
        for phase in phases
    )


_copy = ProcessCopy[tuple[RunningExperiment, ...]](lambda revision, earlier: load_running())


def running(revision: int) -> tuple[RunningExperiment, ...]:
    """Return this process's running experiments, oldest first, read anew when they are not of `revision`.

    `revision` is `catalog.revisions`' number for "experiments". No query while it stands still, two when it moved.
    """
    return _copy.at(revision)
