from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from recommender.exceptions import ArtifactError, ConfigurationError
from recommender.vector_index.annoy import AnnoyIndexBackend, Forest, lifted
from recommender.vector_index.base import read_meta
from recommender.vector_index.longest import Longest

VECTORS = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)


@pytest.fixture
def no_annoy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `import annoy` fail, as on a machine without a C++ compiler."""
    monkeypatch.setitem(sys.modules, "annoy", None)


def test_below_the_switch_there_is_no_forest(tmp_path: Path) -> None:
    backend = AnnoyIndexBackend("default", {"exact_below": 201})
    assert backend.build(VECTORS, "dot").save(tmp_path) == ["index.json", "vectors.npy"]
    assert backend.open(tmp_path, read_meta(tmp_path)).exact is True


def test_raising_the_switch_above_an_index_scans_it(tmp_path: Path) -> None:
    AnnoyIndexBackend("default", {"exact_below": 200}).build(VECTORS, "dot").save(tmp_path)
    assert AnnoyIndexBackend("default", {"exact_below": 200}).open(tmp_path, read_meta(tmp_path)).exact is False
    assert AnnoyIndexBackend("default", {"exact_below": 201}).open(tmp_path, read_meta(tmp_path)).exact is True


def test_lifted_vectors_are_all_as_long_as_the_limit() -> None:
    vectors = np.array([[3, 4], [0, 3], [0, 0], [6, -8]], dtype=np.float32)
    assert lifted(vectors, 5.0).tolist() == [[3, 4, 0], [0, 3, 4], [0, 0, 5], [3, -4, 0]]


def test_an_index_saved_without_its_longest_vectors_is_scanned(tmp_path: Path) -> None:
    backend = AnnoyIndexBackend("default", {"exact_below": 0})
    assert backend.build(VECTORS, "dot").save(tmp_path)[2:] == ["forest.ann", "longest_rows.npy", "longest.npy"]
    assert backend.open(tmp_path, read_meta(tmp_path)).exact is False
    (tmp_path / "longest.npy").unlink()
    assert backend.open(tmp_path, read_meta(tmp_path)).exact is True


def test_a_forest_that_runs_out_of_search_is_made_up_for_by_a_scan(tmp_path: Path) -> None:
    class Stingy:
        def get_nns_by_vector(self, vector: list[float], n: int, search_k: int) -> list[int]:
            return [0]

    backend = AnnoyIndexBackend("default", {"exact_below": 0})
    backend.build(VECTORS, "dot").save(tmp_path)
    index = backend.open(tmp_path, read_meta(tmp_path))
    index._forest = Forest(Stingy(), Longest.of(VECTORS, "cosine"))  # type: ignore[attr-defined]
    exact = np.argsort(-(VECTORS @ VECTORS[0]), kind="stable")[:5]
    assert index.search(VECTORS[0], 5)[0].tolist() == exact.tolist()


@pytest.mark.parametrize("content", [b"", b"x" * 1001])
def test_a_forest_of_the_wrong_size_is_refused(tmp_path: Path, content: bytes) -> None:
    backend = AnnoyIndexBackend("default", {"exact_below": 0})
    backend.build(VECTORS, "dot").save(tmp_path)
    (tmp_path / "forest.ann").unlink()
    (tmp_path / "forest.ann").write_bytes(content)
    with pytest.raises(ArtifactError) as refusal:
        backend.open(tmp_path, read_meta(tmp_path))
    assert refusal.value.file == "forest.ann"


def test_a_forest_over_other_rows_is_refused(tmp_path: Path) -> None:
    backend = AnnoyIndexBackend("default", {"exact_below": 0})
    (tmp_path / "other").mkdir()
    # 143 in its own forest, and 10 of the longest of the other.
    backend.build(VECTORS[:150], "dot").save(tmp_path / "other")
    backend.build(VECTORS, "dot").save(tmp_path)
    (tmp_path / "other" / "forest.ann").replace(tmp_path / "forest.ann")
    with pytest.raises(ArtifactError, match=r"forest\.ann: holds 153 rows, index\.json says 200"):
        backend.open(tmp_path, read_meta(tmp_path))


def test_without_annoy_a_build_is_exact_and_a_warning_says_so(tmp_path: Path, no_annoy: None) -> None:
    backend = AnnoyIndexBackend("default", {"exact_below": 0})
    assert backend.available is False
    assert [message.id for message in backend.check()] == ["recommender.W001"]
    assert backend.build(VECTORS, "dot").save(tmp_path) == ["index.json", "vectors.npy"]
    assert backend.open(tmp_path, read_meta(tmp_path)).exact is True


def test_without_annoy_a_forest_built_elsewhere_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = AnnoyIndexBackend("default", {"exact_below": 0})
    backend.build(VECTORS, "dot").save(tmp_path)
    monkeypatch.setitem(sys.modules, "annoy", None)
    index = backend.open(tmp_path, read_meta(tmp_path))
    exact = np.argsort(-(VECTORS @ VECTORS[0]), kind="stable")[:5]
    assert index.search(VECTORS[0], 5)[0].tolist() == exact.tolist()


def test_with_annoy_there_is_nothing_to_warn_of() -> None:
    backend = AnnoyIndexBackend("default", {})
    assert backend.available is True
    assert backend.check() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trees": 5}, "unknown option 'trees'; options are: exact_below, n_jobs, n_trees, search_k, seed"),
        ({"n_trees": 0}, "n_trees is 0; it must be an integer of 1 or more"),
        ({"n_trees": "5"}, "n_trees is '5'; it must be an integer of 1 or more"),
        ({"n_jobs": True}, "n_jobs is True"),
        ({"exact_below": -1}, "exact_below is -1; it must be an integer of 0 or more"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        AnnoyIndexBackend("default", options)


@pytest.mark.parametrize(("effort", "looked_at"), [(1.0, 1000), (2.0, 2000), (0.5, 500), (0.01, 50)])
def test_more_effort_looks_further_and_never_at_too_little(tmp_path: Path, effort: float, looked_at: int) -> None:
    """Of 1,000 configured; ten times what is wanted at least."""
    seen = []

    class Noting:
        def get_nns_by_vector(self, vector: list[float], n: int, search_k: int) -> list[int]:
            seen.append(search_k)
            return list(range(n))[:200]

    backend = AnnoyIndexBackend("default", {"exact_below": 0, "search_k": 1000})
    backend.build(VECTORS, "cosine").save(tmp_path)
    index = backend.open(tmp_path, read_meta(tmp_path))
    index._forest = Forest(Noting(), Longest.of(VECTORS, "cosine"))  # type: ignore[attr-defined]
    index.search(VECTORS[0], 5, effort=effort)
    assert seen == [looked_at]
