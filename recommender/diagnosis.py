"""What `manage.py doctor` looks at: one function a subject, each says how things stand and how to mend them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import redis
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from catalog import queries as catalog_queries
from catalog import revisions
from catalog.redis_store import client, ping
from interactions import feature_rebuilding, partitions
from interactions import queries as interaction_queries
from interactions.event_log.base import EventLogAway
from interactions.event_log.handler import event_log
from interactions.redis_breaker import RedisAway
from recommender import conf
from recommender.exceptions import ArtifactError, BackendError
from recommender.models import ModelVersion, RebuildJob
from recommender.registry import object_store, publishing, storage
from recommender.rules import lint, versions
from recommender.vector_index.advice import advised
from recommender.vector_index.handler import backend

FEW_EVENTS = 1000
STALE_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "error"]
    subject: str
    message: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything, in the order in which one thing leans on the other."""
    database = _database()
    if database.level == "error":
        return [database, _redis()]
    looks: list[Callable[[], Finding]] = [
        _migrations,
        _redis,
        _features,
        _catalogue,
        _embeddings,
        _events,
        _event_log,
        _dead_letters,
        _partitions,
        _model_store,
        _model,
        _last_rebuild,
        _index,
        _rules,
    ]
    return [database, *(look() for look in looks)]


def _database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (version,) = cursor.fetchone()
    except DatabaseError as error:
        remedy = "Set DATABASE_URL, or leave it empty for the local one and run make setup."
        return Finding(level="error", subject="Postgres", message=f"cannot be asked: {error}", remedy=remedy)
    return Finding(level="ok", subject="Postgres", message=f"answers, version {version}")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        message = f"{len(waiting)} not applied"
        return Finding(level="error", subject="Migrations", message=message, remedy="manage.py migrate")
    return Finding(level="ok", subject="Migrations", message="all applied")


def _redis() -> Finding:
    try:
        ping(client())
        held = client().hgetall(revisions.hash_key())
    except redis.RedisError as error:
        remedy = "Lists are still answered, more slowly; start Redis or set REDIS_URL."
        return Finding(level="warning", subject="Redis", message=f"cannot be asked: {error}", remedy=remedy)
    behind = {name for name, value in revisions.from_database().items() if int(held.get(name.encode(), 0)) < value}
    if behind:
        message = f"answers; {', '.join(sorted(behind))} not announced yet"
        return Finding(level="warning", subject="Redis", message=message, remedy="Is beat running? It mends this.")
    return Finding(level="ok", subject="Redis", message="answers and knows the newest revisions")


def _features() -> Finding:
    try:
        filled = feature_rebuilding.is_filled()
    except RedisAway:
        message = "Redis is away: users are read from Postgres"
        return Finding(level="warning", subject="Features", message=message, remedy="They come back with Redis.")
    if not filled:
        message = "Redis was emptied or started again and has not been filled since: users are read from Postgres"
        remedy = "Are worker and beat running? manage.py rebuild_features fills it now."
        return Finding(level="warning", subject="Features", message=message, remedy=remedy)
    return Finding(level="ok", subject="Features", message="Redis has been filled since its start")


def _catalogue() -> Finding:
    items = catalog_queries.count_items()
    if not items:
        remedy = "manage.py import_dataset PATH, or PUT /api/v1/items/{item_id}"
        return Finding(
            level="error", subject="Catalogue", message="is empty: nothing can be recommended", remedy=remedy
        )
    return Finding(level="ok", subject="Catalogue", message=f"{items:,} items")


def _embeddings() -> Finding:
    counts = catalog_queries.embedding_counts()
    unfit = ", ".join(f"{space.name} {space.unfit:,}" for space in counts if space.unfit)
    if unfit:
        remedy = "A rebuild refuses them: upload them again, or delete them."
        message = f"vectors of another length than their space: {unfit}"
        return Finding(level="error", subject="Embeddings", message=message, remedy=remedy)
    nameless = sorted({space.encoder for space in counts if space.encoder} - set(conf.get("ENCODERS")))
    if nameless:
        remedy = "A rebuild refuses that: add the entry, or choose another encoder for the space in admin."
        message = f"RECOMMENDER_ENCODERS lacks {', '.join(nameless)}"
        return Finding(level="error", subject="Embeddings", message=message, remedy=remedy)
    listed = ", ".join(
        f"{space.name} {space.vectors:,}" + (f" (by {space.encoder})" if space.encoder else "") for space in counts
    )
    return Finding(level="ok", subject="Embeddings", message=listed or "no spaces")


def _events() -> Finding:
    by_type = interaction_queries.events_by_type()
    total = sum(by_type.values())
    listed = ", ".join(f"{name} {count:,}" for name, count in by_type.items() if count)
    if total < FEW_EVENTS:
        remedy = "Personal lists need events: POST /api/v1/events, or manage.py import_dataset PATH"
        message = f"only {total:,} ({listed or 'none'}); lists are mostly popularity and content"
        return Finding(level="warning", subject="Events", message=message, remedy=remedy)
    return Finding(level="ok", subject="Events", message=f"{total:,} ({listed})")


def _event_log() -> Finding:
    try:
        return Finding(level="ok", subject="Event log", message=f"posted events are {event_log().reach()}")
    except EventLogAway as error:
        remedy = "Clients are told to retry; nothing is lost. Start the brokers, or see EVENT_LOG and KAFKA_SERVERS."
        return Finding(level="error", subject="Event log", message=error.message, remedy=remedy)


def _dead_letters() -> Finding:
    waiting = interaction_queries.event_counts().dead_letters
    if waiting:
        remedy = "See Dead letters in admin: those of unknown items are replayed when the item arrives."
        return Finding(level="warning", subject="Dead letters", message=f"{waiting:,} refused events", remedy=remedy)
    return Finding(level="ok", subject="Dead letters", message="none")


def _partitions() -> Finding:
    stray = {table: partitions.default_rows(table) for table in partitions.TABLES}
    if any(stray.values()):
        listed = ", ".join(f"{count:,} rows of {table}" for table, count in stray.items() if count)
        message = f"{listed} are in no partition of their own"
        return Finding(level="warning", subject="Partitions", message=message, remedy="manage.py repair_partitions")
    return Finding(level="ok", subject="Partitions", message="every row is in its own")


def _model_store() -> Finding:
    store = object_store.configured()
    if store is None:
        return Finding(level="ok", subject="Object store", message="none: versions are shared by their directory")
    try:
        versions_stored = len(store.directories())
    except ArtifactError as error:
        remedy = "Serving goes on with what this machine has; see RECOMMENDER_MODEL_STORE and its credentials."
        return Finding(level="error", subject="Object store", message=str(error), remedy=remedy)
    return Finding(
        level="ok", subject="Object store", message=f"{versions_stored} versions at {conf.get('MODEL_STORE')}"
    )


def _model() -> Finding:
    pointer = publishing.pointer()
    if pointer is None:
        message = "none is published: the popular list answers every request"
        return Finding(level="error", subject="Model", message=message, remedy="manage.py rebuild_models")
    version = pointer.version
    try:
        storage.load(version.directory, version.manifest_sha256)
    except ArtifactError as error:
        remedy = "manage.py rebuild_models, or let an older version serve (Model versions in admin)"
        return Finding(level="error", subject="Model", message=f"{version.name} cannot be read: {error}", remedy=remedy)
    age = timezone.now() - version.created_at
    hours = age.total_seconds() / 3600
    final = version.metrics.get("final") or {}
    measured = f", NDCG@10 {final['ndcg']:.4f}" if final else ""
    message = f"{version.name} serves, {hours:.1f} h old{measured}"
    if hours > STALE_HOURS:
        remedy = "Are worker and beat running? manage.py rebuild_models rebuilds now."
        return Finding(level="warning", subject="Model", message=message, remedy=remedy)
    return Finding(level="ok", subject="Model", message=message)


def _last_rebuild() -> Finding:
    job = RebuildJob.objects.select_related("version").first()
    if job is None:
        return Finding(level="ok", subject="Last rebuild", message="there has been none")
    if job.state == RebuildJob.State.FAILED:
        message = f"failed at {job.stage or 'its start'}: {job.error}"
        return Finding(level="warning", subject="Last rebuild", message=message, remedy="manage.py rebuild_models")
    if job.version is not None and job.version.state == ModelVersion.State.REFUSED:
        message = f"{job.version.name} was refused: {'; '.join(job.version.gate_reasons)}"
        remedy = "If it is right all the same: manage.py rebuild_models --force"
        return Finding(level="warning", subject="Last rebuild", message=message, remedy=remedy)
    return Finding(level="ok", subject="Last rebuild", message=job.get_state_display())


def _index() -> Finding:
    chosen = backend()
    if not chosen.available:
        remedy = "Install its library (FAISS: pip install faiss-cpu; Annoy: a C++ compiler, then make setup)."
        message = f"{chosen.name} is not installed: exact search answers"
        return Finding(level="warning", subject="Vector index", message=message, remedy=remedy)
    if chosen.remote:
        try:
            chosen.require()
        except BackendError as error:
            remedy = "Lists are still answered, rebuilds are refused. Start the server, or see MILVUS_URI."
            return Finding(level="error", subject="Vector index", message=str(error), remedy=remedy)
        return Finding(level="ok", subject="Vector index", message=f"{chosen.name} answers")
    items = catalog_queries.count_items()
    advice = advised(items)
    kind = chosen.options.get("kind")
    if advice.backend in ("brute_force", chosen.name) and advice.options.get("kind", kind) == kind:
        return Finding(level="ok", subject="Vector index", message=f"{chosen.name}, as good as any for {items:,} items")
    message = (
        f"{chosen.name}; for {items:,} items {advice.label} is quickest: it finds {advice.recall:.2f} of the ten best "
        f"of {advice.items:,} at {advice.times_exact:.0f} times the speed of a scan"
    )
    entry = {"BACKEND": advice.path, "OPTIONS": dict(advice.options)}
    remedy = f'RECOMMENDER_VECTOR_INDEXES["default"] = {entry!r}'
    return Finding(level="warning", subject="Vector index", message=message, remedy=remedy)


def _rules() -> Finding:
    published = versions.published()
    expired = [finding.message for finding in lint.findings(published) if finding.field == "active_until"]
    message = f"{len(published) - len(expired)} in effect or to come"
    if expired:
        message = f"{message}, {len(expired)} expired"
        return Finding(level="warning", subject="Rules", message=message, remedy="Delete the expired ones in admin.")
    return Finding(level="ok", subject="Rules", message=message)
