from __future__ import annotations

import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.exceptions import ConfigurationError
from recommender.vector_index.base import VectorIndex, read_meta
from recommender.vector_index.brute_force import ExactIndex
from recommender.vector_index.milvus import MilvusIndex, MilvusIndexBackend
from recommender.vector_index.milvus_server import MilvusAway
from tests.recommender.vector_index.milvus_lite import PATIENCE, MilvusLite

VECTORS = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)
NOWHERE = "http://127.0.0.1:9"
"""The port of "discard", where nothing listens."""


def backend_of(uri: str, **options: Any) -> MilvusIndexBackend:
    """Return a backend that searches however few rows by the server, and waits for it."""
    return MilvusIndexBackend("default", {"uri": uri, "exact_below": 0, "timeout_ms": 60_000, **options})


def saved(backend: MilvusIndexBackend, folder: Path, vectors: np.ndarray = VECTORS) -> VectorIndex:
    """Build, save and open an index."""
    folder.mkdir(exist_ok=True)
    backend.build(vectors, "dot").save(folder)
    return backend.open(folder, read_meta(folder))


def test_without_pymilvus_a_build_is_exact_and_a_warning_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.vector_index.milvus.find_spec", lambda name: None)
    backend = backend_of(NOWHERE)
    (message,) = backend.check()
    assert (backend.available, message.id) == (False, "recommender.W003")
    assert "pip install 'pymilvus>=3.0.2,<4'" in str(message.hint)
    assert saved(backend, tmp_path).exact is True
    backend.require()
    backend.sweep(set())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"uri": 19530}, "uri is 19530; it must be a text"),
        ({"prefix": "a-b"}, "prefix is 'a-b'; letters, digits and _ are allowed, a letter first"),
        ({"timeout_ms": 0}, "timeout_ms is 0; it must be an integer of 1 or more"),
    ],
)
def test_options_that_cannot_be_used_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        MilvusIndexBackend("default", options)


def test_what_is_written_beside_the_vectors_holds_no_secret(tmp_path: Path) -> None:
    backend = MilvusIndexBackend("default", {"uri": NOWHERE, "token": "root:Milvus"})
    backend.build(VECTORS, "dot").save(tmp_path)
    assert read_meta(tmp_path).options == {"links": 32, "ef_construction": 100}


def test_importing_the_backend_imports_no_library() -> None:
    assert import_module("recommender.vector_index.milvus")
    if "pymilvus" in sys.modules:
        pytest.skip("another test has imported it")
    assert MilvusIndexBackend("default", {}).name == "milvus"
    assert "pymilvus" not in sys.modules


@pytest.mark.engines
class TestWithMilvus:
    @pytest.fixture(autouse=True)
    def library(self) -> None:
        pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed: `make test-engines` installs it")

    @pytest.fixture
    def client(self, milvus_uri: str) -> Any:
        return import_module("pymilvus").MilvusClient(uri=milvus_uri)

    def test_below_the_switch_nothing_is_sent(self, tmp_path: Path) -> None:
        index = saved(backend_of(NOWHERE, exact_below=201), tmp_path)
        assert isinstance(index, ExactIndex)

    def test_excluded_rows_are_left_out_by_the_server(
        self, milvus_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backend = backend_of(milvus_uri)
        index = saved(backend, tmp_path)
        order = np.argsort(-(VECTORS @ VECTORS[0]), kind="stable")
        asked = []
        search = backend._server.search

        def noted(*arguments: Any, **options: Any) -> Any:
            asked.append((arguments[2], options["without"].tolist()))
            return search(*arguments, **options)

        monkeypatch.setattr(backend._server, "search", noted)
        assert index.search(VECTORS[0], 5, exclude=order[:20])[0].tolist() == order[20:25].tolist()
        assert asked == [(5, sorted(order[:20].tolist()))]
        monkeypatch.setattr("recommender.vector_index.milvus._TOLD", 19)
        assert index.search(VECTORS[0], 5, exclude=order[:20])[0].tolist() == order[20:25].tolist()
        assert asked[1:] == [(25, [])]

    def test_a_collection_goes_when_no_version_needs_it(self, milvus_uri: str, tmp_path: Path, client: Any) -> None:
        backend = backend_of(milvus_uri, prefix="swept")
        older, newer = backend.build(VECTORS[:150], "dot"), backend.build(VECTORS, "dot")
        trial = backend.build(VECTORS[:100], "dot")
        for number, built in enumerate((older, newer, trial)):
            (tmp_path / str(number)).mkdir()
            built.save(tmp_path / str(number))
        older.claim("v1-0a1b2c3d", "collaborative")
        newer.claim("v2-0a1b2c3d", "collaborative")
        newer.claim("v3-0a1b2c3d", "collaborative")
        names = [built.meta.options["collection"] for built in (older, newer, trial)]

        def there() -> list[str]:
            return [name for name in names if client.has_collection(name)]

        backend.sweep({"v1-0a1b2c3d", "v2-0a1b2c3d", "v3-0a1b2c3d"})
        assert there() == names[:2]
        backend.sweep({"v3-0a1b2c3d"})
        assert there() == [names[1]]
        assert client.list_aliases(names[1])["aliases"] == ["swept_in_v3_0a1b2c3d_collaborative"]
        backend.sweep(set())
        assert there() == []

    def test_others_collections_are_left_alone(self, milvus_uri: str, tmp_path: Path, client: Any) -> None:
        theirs = backend_of(milvus_uri, prefix="site").build(VECTORS, "dot")
        theirs.save(tmp_path)
        backend_of(milvus_uri, prefix="sit").sweep(set())
        assert client.has_collection(theirs.meta.options["collection"])

    def test_what_is_published_can_be_found_by_its_space(self, milvus_uri: str, tmp_path: Path, client: Any) -> None:
        backend = backend_of(milvus_uri, prefix="told")
        for rows in (150, 200):
            saved(backend, tmp_path / str(rows), VECTORS[:rows]).announce("embedding.plot-2")
            meta = read_meta(tmp_path / str(rows))
            found = client.describe_alias("told_now_embedding_plot_2")["collection_name"]
            assert found == meta.options["collection"]

    def test_what_a_dead_rebuild_has_half_filled_is_filled_anew(
        self, milvus_uri: str, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backend = backend_of(milvus_uri, prefix="half")
        built = backend.build(VECTORS, "dot")
        collection = built.meta.options["collection"]
        monkeypatch.setattr("recommender.vector_index.milvus_server.BATCH_BYTES", 50 * 8 * 4)
        inserted = []

        def dying(name: str, rows: list[Any], **options: Any) -> None:
            if len(inserted) == 2:
                raise ConnectionError("cut")
            inserted.append(len(rows))
            client.insert(name, rows)

        held = backend._server._connected()
        monkeypatch.setattr(held, "insert", dying)
        with pytest.raises(MilvusAway, match="failed when asked to insert: cut"):
            built.save(tmp_path)
        assert inserted == [50, 50]
        monkeypatch.undo()
        assert client.has_collection(collection)
        built.save(tmp_path)
        assert backend._server._count(collection) == 200

    def test_a_server_that_dies_is_scanned_for_and_then_left_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = MilvusLite(tmp_path).start()
        try:
            backend = backend_of(server.uri)
            backend.require()
            index = saved(backend, tmp_path / "index")
            best = index.search(VECTORS[0], 5)[0].tolist()
            server.kill()
            patient = backend_of(server.uri, timeout_ms=300)
            index = patient.open(tmp_path / "index", read_meta(tmp_path / "index"))
            for _ in range(6):
                assert index.search(VECTORS[0], 5)[0].tolist() == best
            asked: list[str] = []
            monkeypatch.setattr(patient._server, "_asked", lambda call, what: asked.append(what))
            assert index.search(VECTORS[0], 5)[0].tolist() == best
            assert asked == []
            monkeypatch.undo()
            with pytest.raises(MilvusAway):
                saved(backend, tmp_path / "other", VECTORS[:50])
            with pytest.raises(MilvusAway):
                patient.require()
            (message,) = patient.check()
            assert message.id == "recommender.W004"
            server.start()
            deadline = time.monotonic() + PATIENCE
            while patient._server._breaker._failures and time.monotonic() < deadline:
                patient._server._breaker._closed_again_at = 0.0
                assert index.search(VECTORS[0], 5)[0].tolist() == best
            assert patient._server._breaker._failures == 0
            backend.require()
        finally:
            server.kill()

    def test_where_a_scan_would_be_slow_the_other_sources_answer(self, milvus_uri: str, tmp_path: Path) -> None:
        saved(backend_of(milvus_uri), tmp_path)
        away = backend_of(NOWHERE, scanned_when_away=199, timeout_ms=300)
        index = away.open(tmp_path, read_meta(tmp_path))
        with pytest.raises(MilvusAway, match="failed when asked to search"):
            index.search(VECTORS[0], 5)

    def test_an_older_server_is_named(self, milvus_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
        backend = backend_of(milvus_uri)
        assert backend.check() == []
        monkeypatch.setattr(backend._server._client, "get_server_version", lambda **options: "v2.4.9")
        (message,) = backend.check()
        assert "is version v2.4.9; 2.5 or newer is needed" in message.msg

    def test_a_forked_child_scans(self, milvus_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        backend = backend_of(milvus_uri)
        index = saved(backend, tmp_path)
        best = index.search(VECTORS[0], 5)[0].tolist()
        here = os.getpid()
        monkeypatch.setattr("recommender.vector_index.milvus_server.os.getpid", lambda: here + 1)
        with pytest.raises(MilvusAway, match="forked"):
            backend.require()
        assert index.search(VECTORS[0], 5)[0].tolist() == best

    def test_an_alias_that_cannot_be_moved_does_not_stop_a_publication(
        self, milvus_uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        saved(backend_of(milvus_uri), tmp_path)
        index = backend_of(NOWHERE).open(tmp_path, read_meta(tmp_path))
        assert isinstance(index, MilvusIndex)
        index.announce("collaborative")
        assert "the alias of collaborative was not moved" in caplog.text
