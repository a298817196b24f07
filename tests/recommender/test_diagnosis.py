"""The doctor names what is wrong and the command that mends it."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from catalog import embeddings, revisions
from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from interactions import dead_letters, feature_rebuilding
from recommender import diagnosis
from recommender.diagnosis import Finding, examine
from recommender.models import ActiveModel, ModelVersion, RebuildJob
from recommender.rebuilding import rebuild
from tests.recommender.rule_writing import published, written


def finding(subject: str) -> Finding:
    return next(found for found in examine() if found.subject == subject)


@pytest.fixture
def site(db: None, tmp_path: Path, settings: Settings) -> None:
    settings.RECOMMENDER_MODEL_DIRECTORY = str(tmp_path)
    for number in range(3):
        Item.objects.create(item_id=f"film-{number}", title=f"Film {number}", tags=["drama"])
    revisions.announce_all()


def test_an_empty_site_needs_items_and_a_model(db: None) -> None:
    assert (finding("Catalogue").level, finding("Model").level) == ("error", "error")
    assert finding("Catalogue").remedy == "manage.py import_dataset PATH, or PUT /api/v1/items/{item_id}"
    assert finding("Model").remedy == "manage.py rebuild_models"
    with pytest.raises(CommandError, match=r"^2 of 15 checks failed\.$"):
        call_command("doctor", stdout=StringIO())


def test_a_working_site_has_no_errors(site: None) -> None:
    rebuild("test")
    feature_rebuilding.rebuild()
    written = StringIO()
    call_command("doctor", stdout=written, no_color=True)
    assert "✓ Catalogue: 3 items" in written.getvalue()
    assert "✓ Model: v1 serves, 0.0 h old" in written.getvalue()
    assert "! Events: only 0 (none); lists are mostly popularity and content" in written.getvalue()
    assert written.getvalue().endswith("15 checks, 1 warnings.\n")


def test_a_redis_that_was_emptied_is_to_be_filled(site: None) -> None:
    found = finding("Features")
    assert found.level == "warning"
    assert found.message.startswith("Redis was emptied or started again")
    assert found.remedy.endswith("manage.py rebuild_features fills it now.")
    feature_rebuilding.rebuild()
    assert finding("Features").level == "ok"


def test_embedding_spaces_are_counted_and_what_a_rebuild_would_refuse_is_named(site: None) -> None:
    assert (finding("Embeddings").level, finding("Embeddings").message) == ("ok", "no spaces")
    audio = EmbeddingSpace.objects.create(name="audio", dimension=64)
    words = EmbeddingSpace.objects.create(name="words", dimension=64, encoder="tfidf")
    embeddings.store("film-0", "audio", [1.0] * 64)
    embeddings.store("film-1", "audio", [1.0] * 64)
    assert finding("Embeddings").message == "audio 2, words 0 (by tfidf)"

    EmbeddingSpace.objects.filter(pk=words.pk).update(encoder="minilm")
    found = finding("Embeddings")
    assert (found.level, found.message) == ("error", "RECOMMENDER_ENCODERS lacks minilm")

    ItemEmbedding.objects.filter(space=audio, item__item_id="film-1").update(vector=b"1" * 257)
    found = finding("Embeddings")
    assert (found.level, found.message) == ("error", "vectors of another length than their space: audio 1")


def test_a_damaged_model_is_named(site: None, tmp_path: Path) -> None:
    version = rebuild("test").version
    assert version is not None
    (tmp_path / version.directory / "popularity.npy").chmod(0o644)
    (tmp_path / version.directory / "popularity.npy").write_bytes(b"")
    found = finding("Model")
    assert found.level == "error"
    assert found.message.startswith("v1 cannot be read: popularity.npy")


def test_an_old_model_is_a_warning(site: None) -> None:
    rebuild("test")
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert finding("Model").level == "warning"
    assert finding("Model").message.startswith("v1 serves, 25.0 h old")


def test_a_failed_rebuild_is_told_with_its_reason(db: None) -> None:
    RebuildJob.objects.create(state="failed", stage="reading", error="out of memory", leased_until=timezone.now())
    assert finding("Last rebuild").level == "warning"
    assert finding("Last rebuild").message == "failed at reading: out of memory"


def test_a_refused_rebuild_is_told_with_its_reason(db: None) -> None:
    version = ModelVersion.objects.create(name="v2", state="refused", gate_reasons=["coverage is 0"])
    RebuildJob.objects.create(state="done", version=version, leased_until=timezone.now())
    assert finding("Last rebuild").message == "v2 was refused: coverage is 0"
    assert not ActiveModel.objects.exists()


def test_dead_letters_are_counted(db: None) -> None:
    dead_letters.keep("item_unknown", "There is no item 'x'.", '{"item_id": "x"}', source="api", item_id="x")
    assert finding("Dead letters").message == "1 refused events"


def test_expired_rules_are_counted(site: None) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    written("hide", where="tag=drama", active_until=yesterday)
    published("hide", where="tag=comedy")
    assert finding("Rules").level == "warning"
    assert finding("Rules").message == "1 in effect or to come, 1 expired"


def test_an_unannounced_revision_is_named(site: None) -> None:
    from catalog.redis_store import client

    client().hset(revisions.hash_key(), revisions.RULES, "0")
    assert finding("Redis").message == "answers; rules not announced yet"


def test_without_postgres_only_the_servers_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Finding(level="error", subject="Postgres", message="cannot be asked: no route")
    monkeypatch.setattr(diagnosis, "_database", lambda: broken)
    monkeypatch.setattr(diagnosis, "_redis", lambda: Finding(level="ok", subject="Redis", message="answers"))
    assert [found.subject for found in examine()] == ["Postgres", "Redis"]


@pytest.mark.parametrize("items", [3, 99_999])
def test_few_items_are_scanned_by_any_backend(db: None, monkeypatch: pytest.MonkeyPatch, items: int) -> None:
    monkeypatch.setattr("catalog.queries.count_items", lambda: items)
    found = finding("Vector index")
    assert (found.level, found.message) == ("ok", f"annoy, as good as any for {items:,} items")


def test_a_large_catalogue_is_told_the_quickest_backend_and_how_to_choose_it(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr("catalog.queries.count_items", lambda: 150_000)
    found = finding("Vector index")
    assert found.level == "warning"
    assert found.message == (
        "annoy; for 150,000 items faiss hnsw is quickest: it finds 1.00 of the ten best of 100,000 at 11 times the "
        "speed of a scan"
    )
    faiss = "recommender.vector_index.faiss.FaissIndexBackend"
    entry = {"BACKEND": faiss, "OPTIONS": {"kind": "hnsw"}}
    assert found.remedy == f'RECOMMENDER_VECTOR_INDEXES["default"] = {entry!r}'
    settings.RECOMMENDER_VECTOR_INDEXES = {"default": entry}
    pytest.importorskip("faiss", reason="FAISS is not installed (the extra `faiss`)")
    assert finding("Vector index").level == "ok"
