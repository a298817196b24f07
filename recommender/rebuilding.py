"""The other door: one rebuild, from events to a published version.

1. Claim the lease (`registry.jobs`); a second rebuild is told who holds it.
2. Read the catalogue snapshot, the events (`training.dataset`, binary COPY, or as the chosen engine of
   `training.engines` reads them) and the embedding spaces
   (`training.embedding_spaces`).
3. Fit (`training.fitting`): hold out each user's newest events, tune the sources on them (`training.tuning`), learn the
   ranking (`ranking`) and measure it as serving would (`training.evaluation`); then train on everything
   (`training.train`), one trainer a model.
4. Measure the indexes' recall (`training.index_recall`).
5. The gate (`training.gate`) refuses a worse build, with reasons.
6. Write an immutable directory with its manifest (`registry.storage`) and record it (`registry.publishing`).
7. Move the pointer, in one transaction; every web process swaps on its next request. Not where it was asked for to be
   tried first (`rebuild_requests`).
8. Remove old versions (`registry.retention`).

A crash anywhere before 7 leaves the old version serving.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from catalog import revisions, snapshot
from catalog.snapshot import Catalogue
from interactions import event_types
from recommender import conf, rebuild_requests
from recommender.models import ModelVersion
from recommender.registry import jobs, publishing, retention, storage
from recommender.registry.jobs import Lease, NotNow
from recommender.training import embedding_spaces, index_recall, trial
from recommender.training.dataset import Interactions
from recommender.training.engines import choosing
from recommender.training.engines.base import Engine
from recommender.training.fitting import Fitted, fit
from recommender.training.gate import judge
from recommender.training.train import Trained
from recommender.vector_index.handler import backend

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What came of one rebuild."""

    version: ModelVersion | None
    """None when there was nothing to do, or somebody else is at it."""
    published: bool
    reasons: list[str] = field(default_factory=list)
    """Why it was not published."""
    metrics: dict[str, Any] = field(default_factory=dict)


def rebuild(reason: str, *, force: bool = False, engine: str = "", progress: Progress = lambda stage: None) -> Rebuilt:
    """Rebuild all models and publish them when the gate lets them through.

    Parameters
    ----------
    reason
        Who asked ("schedule", "command", …), kept on the job.
    force
        Publish whatever the gate says; its reasons are kept all the same.
    engine
        What trains the models, by name; "": RECOMMENDER_TRAINING_ENGINE.
    progress
        Called with the name of each stage as it starts.

    Raises
    ------
    ConfigurationError
        There is no such engine, or this machine lacks what it needs.
    NotEnoughData
        The catalogue is empty.
    LeaseLost
        Another rebuild has taken over.
    ArtifactError
        The version could not be written or read back.
    BackendError
        The server of the vector indexes, or the engine, did not do what it was asked.
    """
    chosen = choosing.engine(engine)
    lease = jobs.claim(reason)
    if isinstance(lease, NotNow):
        holder = f"rebuild {lease.fencing_token} ({lease.reason}) is at {lease.stage or 'its start'}"
        return Rebuilt(version=None, published=False, reasons=[f"{holder}; its lease runs to {lease.leased_until:%T}"])
    with lease:
        return _run(lease, force, chosen, progress)


def _run(lease: Lease, force: bool, engine: Engine, progress: Progress) -> Rebuilt:
    started = time.monotonic()

    def stage(name: str) -> None:
        lease.heartbeat(name)
        progress(name)

    # What a rebuild needs at its end is better missed at its beginning.
    backend().require()
    stage("reading")
    current = revisions.from_database()
    catalogue = snapshot.load(current[revisions.CATALOGUE])
    types = event_types.load(current[revisions.EVENT_TYPES])
    with engine:
        data = engine.load(catalogue.pks, types, _share_of("reading", progress))
        engine.rest()
        spaces = embedding_spaces.load(catalogue, int(conf.get("SEED")), stage)
        fitted = fit(data, catalogue, spaces=spaces, engine=engine, progress=stage)
    trained = fitted.trained
    stage("measuring indexes")
    metrics = {**_figures(fitted), "index_recall": _index_recall(trained, catalogue, data)}
    active = publishing.pointer()
    verdict = judge(metrics, active.version.metrics if active else None, has_events=len(data) > 0)
    passed = verdict.passed or force

    name = publishing.next_name()
    stored = None
    if passed:
        stage("writing")
        meta = {**trained.meta, "metrics": metrics, "catalogue_revision": catalogue.read_at}
        stored = storage.write(name, trained.arrays, meta, trained.indexes)
    version = publishing.record_version(
        name,
        stored=stored,
        fencing_token=lease.fencing_token,
        metrics=metrics,
        gate_reasons=verdict.reasons,
        items=data.n_items,
        users=data.n_users,
        interactions=len(data),
        seconds=time.monotonic() - started,
    )
    held_back = passed and not force and rebuild_requests.holds_back(lease.fencing_token)
    if passed and not held_back:
        stage("publishing")
        publishing.publish(version, fencing_token=lease.fencing_token)
    lease.finish(version)
    retention.apply()
    reasons = [*verdict.reasons, f"{version.name} is held back, to be tried first"] if held_back else verdict.reasons
    return Rebuilt(version=version, published=passed and not held_back, reasons=reasons, metrics=metrics)


def _share_of(stage: str, progress: Progress) -> Callable[[int, int], None]:
    """Return what tells `progress` each tenth of a stage; the lease is not told, its connection is busy reading."""
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if done * 10 // total > told:
            told = done * 10 // total
            progress(f"{stage} ({told * 10} %)")

    return tell


def _figures(fitted: Fitted) -> dict[str, Any]:
    """Return what is kept of the validation; {} when there was nothing to hold out."""
    if fitted.validation is None:
        return {}
    return {
        "final": fitted.validation.final.as_dict(),
        "sources": {name: metrics.as_dict() for name, metrics in fitted.validation.sources.items()},
        "reports": fitted.validation.reports,
        "held_out": fitted.held_out,
        **{part: fitted.trained.meta[part] for part in ("ranking", "variety") if part in fitted.trained.meta},
    }


def _index_recall(trained: Trained, catalogue: Catalogue, data: Interactions) -> dict[str, float]:
    with trial.opened(trained, as_served=True) as bundle:
        return index_recall.measure(bundle, catalogue, data, int(conf.get("SEED")))
