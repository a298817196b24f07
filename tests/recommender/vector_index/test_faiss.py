from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.exceptions import ArtifactError, ConfigurationError
from recommender.vector_index.base import read_meta
from recommender.vector_index.faiss import FaissIndexBackend

VECTORS = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)


@pytest.fixture
def no_faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `import faiss` fail, as where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "faiss", None)


def test_without_faiss_a_build_is_exact_and_a_warning_says_what_to_install(tmp_path: Path, no_faiss: None) -> None:
    backend = FaissIndexBackend("default", {"exact_below": 0})
    (message,) = backend.check()
    assert (backend.available, message.id) == (False, "recommender.W002")
    assert "pip install 'faiss-cpu>=1.15,<2'" in str(message.hint)
    assert backend.build(VECTORS, "dot").save(tmp_path) == ["index.json", "vectors.npy"]
    assert backend.open(tmp_path, read_meta(tmp_path)).exact is True


def test_a_kind_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigurationError, match="kind is 'flat'; it must be one of hnsw, ivf_pq"):
        FaissIndexBackend("default", {"kind": "flat"})


class TestWithFaiss:
    @pytest.fixture(autouse=True)
    def library(self) -> None:
        pytest.importorskip("faiss", reason="FAISS is not installed (the extra `faiss`)")

    def test_below_the_switch_nothing_is_built(self, tmp_path: Path) -> None:
        backend = FaissIndexBackend("default", {"exact_below": 201})
        assert backend.build(VECTORS, "dot").save(tmp_path) == ["index.json", "vectors.npy"]
        assert backend.open(tmp_path, read_meta(tmp_path)).exact is True

    def test_what_was_built_decides_how_it_is_searched(self, tmp_path: Path) -> None:
        FaissIndexBackend("default", {"exact_below": 0}).build(VECTORS, "dot").save(tmp_path)
        changed = FaissIndexBackend("default", {"exact_below": 0, "kind": "ivf_pq"})
        exact = np.argsort(-(VECTORS @ VECTORS[0]), kind="stable")[:5]
        assert changed.open(tmp_path, read_meta(tmp_path)).search(VECTORS[0], 5)[0].tolist() == exact.tolist()

    def test_too_few_vectors_to_learn_a_packing_are_scanned(self, tmp_path: Path) -> None:
        backend = FaissIndexBackend("default", {"exact_below": 0, "kind": "ivf_pq"})
        assert backend.build(VECTORS, "dot").save(tmp_path) == ["index.json", "vectors.npy"]
        assert backend.open(tmp_path, read_meta(tmp_path)).exact is True

    def test_items_that_nobody_has_taken_do_not_hide_the_others(self, tmp_path: Path) -> None:
        vectors = np.zeros((3000, 8), dtype=np.float32)
        vectors[::50] = VECTORS[:60]
        for kind in ("hnsw", "ivf_pq"):
            backend = FaissIndexBackend("default", {"exact_below": 0, "kind": kind})
            directory = tmp_path / kind
            directory.mkdir()
            backend.build(vectors, "cosine").save(directory)
            index = backend.open(directory, read_meta(directory))
            rows, scores = index.search(VECTORS[0], 10)
            assert rows[0] == 0
            assert (rows % 50 == 0).all()
            assert (scores > 0).all()

    @pytest.mark.parametrize("content", [b"", b"x" * 1001])
    def test_a_file_that_is_no_index_is_refused(self, tmp_path: Path, content: bytes) -> None:
        backend = FaissIndexBackend("default", {"exact_below": 0})
        backend.build(VECTORS, "dot").save(tmp_path)
        (tmp_path / "index.faiss").write_bytes(content)
        with pytest.raises(ArtifactError) as refusal:
            backend.open(tmp_path, read_meta(tmp_path))
        assert (refusal.value.file, refusal.value.check) == ("index.faiss", "format")

    def test_an_index_over_other_rows_is_refused(self, tmp_path: Path) -> None:
        backend = FaissIndexBackend("default", {"exact_below": 0})
        (tmp_path / "other").mkdir()
        backend.build(VECTORS[:150], "dot").save(tmp_path / "other")
        backend.build(VECTORS, "dot").save(tmp_path)
        (tmp_path / "other" / "index.faiss").replace(tmp_path / "index.faiss")
        with pytest.raises(ArtifactError, match=r"index\.faiss: holds 150 rows, index\.json says 200"):
            backend.open(tmp_path, read_meta(tmp_path))

    def test_there_is_nothing_to_warn_of(self) -> None:
        backend = FaissIndexBackend("default", {})
        assert (backend.available, backend.check()) == (True, [])
