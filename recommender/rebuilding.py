"""The other door: one rebuild, from events to a published version.

1. Claim the lease (`registry.jobs`); a second rebuild is told who holds it.
2. Read the catalogue snapshot, the events (`training.dataset`, binary COPY) and the embedding spaces
   (`training.embedding_spaces`).
3. Hold out each user's newest events, train on the rest, measure as serving would (`training.evaluation`).
4. Train on everything (`training.train`), one trainer a model; measure the indexes' recall (`training.index_recall`).
5. The gate (`training.gate`) refuses a worse build, with reasons.
6. Write an immutable directory with its manifest (`registry.storage`) and record it (`registry.publishing`).
7. Move the pointer, in one transaction; every web process swaps on its next request.
8. Remove old versions (`registry.retention`).

A crash anywhere before 7 leaves the old version serving.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog import revisions, snapshot
from catalog.snapshot import Catalogue
from interactions import event_types
from recommender import conf
from recommender.models import ModelVersion
from recommender.registry import jobs, publishing, retention, storage
from recommender.registry.jobs import Lease, NotNow
from recommender.training import dataset, embedding_spaces, index_recall, split, trial
from recommender.training.dataset import Interactions
from recommender.training.embedding_spaces import IndexedSpace
from recommender.training.evaluation import evaluate
from recommender.training.gate import judge
from recommender.training.train import Trained, train

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


def rebuild(reason: str, *, force: bool = False, progress: Progress = lambda stage: None) -> Rebuilt:
    """Rebuild all models and publish them when the gate lets them through.

    Parameters
    ----------
    reason
        Who asked ("schedule", "command", …), kept on the job.
    force
        Publish whatever the gate says; its reasons are kept all the same.
    progress
        Called with the name of each stage as it starts.

    Raises
    ------
    NotEnoughData
        The catalogue is empty.
    LeaseLost
        Another rebuild has taken over.
    ArtifactError
        The version could not be written or read back.
    """
    lease = jobs.claim(reason)
    if isinstance(lease, NotNow):
        holder = f"rebuild {lease.fencing_token} ({lease.reason}) is at {lease.stage or 'its start'}"
        return Rebuilt(version=None, published=False, reasons=[f"{holder}; its lease runs to {lease.leased_until:%T}"])
    with lease:
        return _run(lease, force, progress)


def _run(lease: Lease, force: bool, progress: Progress) -> Rebuilt:
    started = time.monotonic()

    def stage(name: str) -> None:
        lease.heartbeat(name)
        progress(name)

    stage("reading")
    current = revisions.from_database()
    catalogue = snapshot.load(current[revisions.CATALOGUE])
    types = event_types.load(current[revisions.EVENT_TYPES])
    data, _ = dataset.load(catalogue.pks, types.weights_of)

    spaces = embedding_spaces.load(catalogue, int(conf.get("SEED")), stage)

    measured = _measure(data, catalogue, spaces, lambda name: stage(f"trial: {name}"))
    trained = train(data, catalogue.pks, catalogue.cards, stage, spaces=spaces)
    stage("measuring indexes")
    metrics = {**measured, "index_recall": _index_recall(trained, catalogue, data)}
    active = publishing.pointer()
    verdict = judge(metrics, active.version.metrics if active else None, has_events=len(data) > 0)
    passed = verdict.passed or force

    name = publishing.next_name()
    stored = None
    if passed:
        stage("writing")
        stored = storage.write(name, trained.arrays, {**trained.meta, "metrics": metrics}, trained.indexes)
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
    if passed:
        stage("publishing")
        publishing.publish(version, fencing_token=lease.fencing_token)
    lease.finish(version)
    retention.apply()
    return Rebuilt(version=version, published=passed, reasons=verdict.reasons, metrics=metrics)


def _measure(
    data: Interactions, catalogue: Catalogue, spaces: list[IndexedSpace], progress: Progress
) -> dict[str, Any]:
    """Return the time-split metrics of what is about to be trained; {} without anything to hold out."""
    held_out = split.last_share_by_user(data)
    users = np.unique(data.users[held_out])
    if not len(users):
        return {}
    users = _sample(users, int(conf.get("EVALUATION_USERS")), int(conf.get("SEED")))
    past, later = data.take(~held_out), data.take(held_out)
    starts = later.user_starts()
    truth = [later.items[starts[user] : starts[user + 1]] for user in users]
    trained = train(past, catalogue.pks, catalogue.cards, progress, spaces=spaces)
    progress("measuring")
    with trial.opened(trained) as bundle:
        evaluation = evaluate(bundle, catalogue, past, truth, [int(user) for user in users])
    return {
        "final": evaluation.final.as_dict(),
        "sources": {name: metrics.as_dict() for name, metrics in evaluation.sources.items()},
        "reports": evaluation.reports,
        "held_out": int(held_out.sum()),
    }


def _index_recall(trained: Trained, catalogue: Catalogue, data: Interactions) -> dict[str, float]:
    with trial.opened(trained) as bundle:
        return index_recall.measure(bundle, catalogue, data, int(conf.get("SEED")))


def _sample(values: NDArray[Any], n: int, seed: int) -> NDArray[Any]:
    """Return at most `n` of `values` (along the first axis), in order, the same ones for the same seed."""
    if len(values) <= n:
        return values
    return values[np.sort(np.random.default_rng(seed).choice(len(values), n, replace=False))]
