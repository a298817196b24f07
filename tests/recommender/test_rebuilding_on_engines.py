"""Whole rebuilds by Spark and with Milvus: published, and cut short at the start, in the middle and at the end."""

from __future__ import annotations

import socket
import time
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from recommender import conf, rebuilding, serving
from recommender.exceptions import ConfigurationError, EngineFailed
from recommender.models import ModelVersion, RebuildJob
from recommender.registry import jobs, publishing, storage
from recommender.registry.jobs import Lease
from recommender.training.engines import spark_session
from recommender.training.engines.spark import SparkEngine
from recommender.vector_index.milvus import MilvusIndex
from recommender.vector_index.milvus_server import MilvusAway
from tests.recommender.test_rebuilding import ITEMS, LENGTH, USERS, create_items, take, two_tastes
from tests.recommender.vector_index.milvus_lite import PATIENCE, MilvusLite

MILVUS = "recommender.vector_index.milvus.MilvusIndexBackend"


@pytest.fixture(autouse=True)
def films(committing_database: None, models: Path) -> None:
    create_items()
    take(two_tastes())


@pytest.fixture
def spark(settings: Settings) -> None:
    pytest.importorskip("pyspark", reason="Spark is not installed: `make test-engines` installs it")
    try:
        spark_session.require()
    except ConfigurationError as error:
        pytest.skip(str(error))
    settings.RECOMMENDER_SPARK = {"master": "local[2]", "options": {"spark.driver.memory": "1g"}}
    # What is tuned and held out is trained by the engine as well, at twice the time.
    settings.RECOMMENDER_TUNING = {**conf.DEFAULTS["TUNING"], "users": 0}
    settings.RECOMMENDER_ALS = {**conf.DEFAULTS["ALS"], "iterations": 3}


def assert_nothing_came_of_it(serves: str | None, error: str) -> None:
    """The job says why, no version was entered, no file is left, and the next rebuild gets the lease at once."""
    job = RebuildJob.objects.all()[0]
    assert job.state == "failed"
    assert error in job.error
    assert list(ModelVersion.objects.values_list("name", flat=True)) == ([serves] if serves else [])
    assert len(storage.directories()) == (1 if serves else 0)
    pointer = publishing.pointer()
    assert (pointer and pointer.version.name) == serves
    with_lease = jobs.claim("next")
    assert isinstance(with_lease, Lease)
    with_lease.fail("only asked")


def test_a_master_that_does_not_answer_ends_the_rebuild_before_it_reads(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_session, "require", lambda: None)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        settings.RECOMMENDER_SPARK = {"master": f"spark://127.0.0.1:{silent.getsockname()[1]}", "options": {}}
        with pytest.raises(CommandError, match="No Spark master answers"):
            call_command("rebuild_models", engine="spark", stderr=StringIO())
    assert_nothing_came_of_it(None, "No Spark master answers")


def test_a_machine_without_java_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spark_session, "find_spec", lambda name: True)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ConfigurationError, match="Spark needs Java 17"):
        rebuilding.rebuild("test", engine="spark")
    assert_nothing_came_of_it(None, "Spark needs Java 17")


@pytest.mark.engines
def test_spark_publishes_and_is_cut_short(spark: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = rebuilding.rebuild("test", engine="spark", force=True)
    assert first.published
    assert first.version is not None
    assert (first.version.items, first.version.users, first.version.interactions) == (ITEMS, USERS, USERS * LENGTH)
    made = serving.recommend("user 0", limit=2)
    assert (made.model_version, made.fallback) == ("v1", False)
    assert {item.card.category for item in made.items} == {"crime"}
    assert import_module("pyspark").SparkContext._gateway is None

    trained = SparkEngine.collaborative

    def cut(engine: SparkEngine, *arguments: Any) -> Any:
        process = import_module("pyspark").SparkContext._gateway.proc
        process.kill()
        process.wait()
        return trained(engine, *arguments)

    monkeypatch.setattr(SparkEngine, "collaborative", cut)
    with pytest.raises(EngineFailed, match="Spark failed"):
        rebuilding.rebuild("test", engine="spark", force=True)
    assert_nothing_came_of_it("v1", "EngineFailed")
    assert import_module("pyspark").SparkContext._gateway is None


@pytest.mark.engines
class TestWithMilvus:
    @pytest.fixture
    def server(self, settings: Settings, tmp_path: Path) -> Any:
        pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed: `make test-engines` installs it")
        server = MilvusLite(tmp_path)
        options = {"uri": server.uri, "exact_below": 0, "timeout_ms": 60_000}
        settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": MILVUS, "OPTIONS": options}}
        yield server
        server.kill()

    def test_away_at_the_start_nothing_is_begun(self, server: MilvusLite) -> None:
        stages: list[str] = []
        with pytest.raises(MilvusAway):
            rebuilding.rebuild("test", progress=stages.append)
        assert stages == []
        assert_nothing_came_of_it(None, "MilvusAway")

    def test_collections_come_and_go_with_versions(self, server: MilvusLite, monkeypatch: pytest.MonkeyPatch) -> None:
        server.start()
        assert rebuilding.rebuild("test").published
        client = import_module("pymilvus").MilvusClient(uri=server.uri)
        version = ModelVersion.objects.get()
        bundle = storage.load(version.directory, version.manifest_sha256)
        assert {type(index) for index in bundle.indexes.values()} == {MilvusIndex}
        # None of the trial is left: a collection for each index of v1, those of the same content together.
        collections = {index._collection for index in bundle.indexes.values()}  # type: ignore[attr-defined]
        assert set(client.list_collections()) == collections
        published = client.describe_alias("recsite_now_collaborative")["collection_name"]
        assert published == bundle.indexes["collaborative"]._collection  # type: ignore[attr-defined]
        assert {item.card.category for item in serving.recommend("user 0", limit=2).items} == {"crime"}

        measured = rebuilding._index_recall

        def cut(*arguments: Any) -> Any:
            server.kill()
            return measured(*arguments)

        # In the middle: what is measured is measured on the server.
        monkeypatch.setattr(rebuilding, "_index_recall", cut)
        take([("user 0", [20])])
        with pytest.raises(MilvusAway):
            rebuilding.rebuild("test")
        assert_nothing_came_of_it("v1", "MilvusAway")
        assert serving.recommend("user 1", limit=2).model_version == "v1"

        # At the end: the files are written already, the collections are not.
        server.start()
        until_it_answers(client)
        monkeypatch.setattr(rebuilding, "_index_recall", lambda *arguments: (measured(*arguments), server.kill())[0])
        with pytest.raises(MilvusAway):
            rebuilding.rebuild("test")
        assert_nothing_came_of_it("v1", "MilvusAway")
        assert serving.recommend("user 2", limit=2).model_version == "v1"

        server.start()
        until_it_answers(client)
        monkeypatch.setattr(rebuilding, "_index_recall", measured)
        again = rebuilding.rebuild("test")
        assert again.published
        assert serving.recommend("user 3", limit=2).model_version == again.version.name  # type: ignore[union-attr]


def until_it_answers(client: Any) -> None:
    """Wait for a server that was started again: it listens before it has read its files."""
    milvus = import_module("pymilvus")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client.list_collections(timeout=5)
        except milvus.MilvusException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
