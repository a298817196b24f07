"""One suite for every backend; exact search is the reference."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recommender.exceptions import ArtifactError, ConfigurationError, DataError
from recommender.vector_index.annoy import AnnoyIndexBackend
from recommender.vector_index.base import Metric, VectorIndex, VectorIndexBackend, read_meta, unit_rows
from recommender.vector_index.brute_force import BruteForceBackend, ExactIndex
from recommender.vector_index.faiss import FaissIndexBackend
from recommender.vector_index.milvus import MilvusIndexBackend
from recommender.vector_index.recall import recall_at_k
from tests.recommender.vector_index.real_factors import factors_and_users

Build = Callable[[object, Metric], VectorIndex]

BACKENDS: dict[str, Callable[[], VectorIndexBackend]] = {
    "brute_force": lambda: BruteForceBackend("default", {}),
    "annoy_scanning": lambda: AnnoyIndexBackend("default", {}),
    "annoy": lambda: AnnoyIndexBackend("default", {"exact_below": 0}),
    "faiss_hnsw": lambda: FaissIndexBackend("default", {"exact_below": 0}),
    "faiss_ivf_pq": lambda: FaissIndexBackend("default", {"exact_below": 0, "kind": "ivf_pq"}),
}

# Inner products with (1, 0): 3, -1, 2, 0, 1, 2. Cosines: 3/5, -1, 1, 0, 1, 2/sqrt(8).
HAND = [[3.0, 4.0], [-1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [1.0, 0.0], [2.0, 2.0]]


@pytest.fixture(params=[*BACKENDS, pytest.param("milvus", marks=pytest.mark.engines)])
def backend(request: pytest.FixtureRequest) -> VectorIndexBackend:
    if request.param == "milvus":
        options = {"uri": request.getfixturevalue("milvus_uri"), "exact_below": 0, "timeout_ms": 60_000}
        made: VectorIndexBackend = MilvusIndexBackend("default", options)
    else:
        made = BACKENDS[request.param]()
    if not made.available:
        pytest.skip(f"the library of {made.name} is not installed")
    return made


@pytest.fixture
def build(backend: VectorIndexBackend, tmp_path: Path) -> Build:
    def build(vectors: object, metric: Metric) -> VectorIndex:
        backend.build(np.array(vectors, dtype=np.float32), metric).save(tmp_path)
        return backend.open(tmp_path, read_meta(tmp_path))

    return build


def vector(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(
    ("metric", "rows", "scores"),
    [
        ("dot", [0, 2, 5], [3.0, 2.0, 2.0]),
        ("cosine", [2, 4, 5], [1.0, 1.0, 0.70710677]),
        ("angular", [2, 4, 5], [0.0, 0.0, -0.76536685]),
    ],
)
def test_search_returns_the_best_rows_with_exact_scores(
    build: Build, metric: Metric, rows: list[int], scores: list[float]
) -> None:
    found, values = build(HAND, metric).search(vector(1, 0), 3)
    assert found.tolist() == rows
    assert values.tolist() == pytest.approx(scores, abs=1e-6)
    assert (found.dtype, values.dtype) == (np.int64, np.float32)


def test_a_longer_query_scales_dot_scores_only(build: Build) -> None:
    assert build(HAND, "cosine").search(vector(5, 0), 1)[1].tolist() == [1.0]


def test_dot_scores_scale_with_the_query(build: Build) -> None:
    assert build(HAND, "dot").search(vector(5, 0), 1)[1].tolist() == [15.0]


def test_k_beyond_the_index_returns_every_row(build: Build) -> None:
    rows, scores = build(HAND, "dot").search(vector(1, 0), 100)
    assert rows.tolist() == [0, 2, 5, 4, 3, 1]
    assert scores.tolist() == [3, 2, 2, 1, 0, -1]


@pytest.mark.parametrize("exclude", [np.array([0, 5, 5]), np.array([True, False, False, False, False, True])])
def test_excluded_rows_make_room_for_the_next(build: Build, exclude: np.ndarray) -> None:
    rows, scores = build(HAND, "dot").search(vector(1, 0), 2, exclude=exclude)
    assert rows.tolist() == [2, 4]
    assert scores.tolist() == [2, 1]


def test_everything_excluded_returns_nothing(build: Build) -> None:
    rows, scores = build(HAND, "dot").search(vector(1, 0), 2, exclude=np.arange(6))
    assert rows.tolist() == scores.tolist() == []


def test_an_empty_exclusion_excludes_nothing(build: Build) -> None:
    assert build(HAND, "dot").search(vector(1, 0), 1, exclude=np.empty(0, np.int64))[0].tolist() == [0]


def test_no_rows_wanted_returns_nothing(build: Build) -> None:
    assert build(HAND, "dot").search(vector(1, 0), 0)[0].tolist() == []


def test_an_empty_index_answers_with_nothing(build: Build) -> None:
    index = build(np.empty((0, 2)), "dot")
    assert (index.rows, index.factors) == (0, 2)
    rows, scores = index.search(vector(1, 0), 5)
    assert rows.tolist() == scores.tolist() == []


def test_one_item_is_found(build: Build) -> None:
    rows, scores = build([[0.0, 2.0]], "dot").search(vector(1, 3), 5)
    assert (rows.tolist(), scores.tolist()) == ([0], [6.0])


@pytest.mark.parametrize("metric", ["dot", "cosine", "angular"])
def test_equal_vectors_are_all_found_in_row_order(build: Build, metric: Metric) -> None:
    rows, scores = build([[1.0, 0.0]] * 40, metric).search(vector(1, 0), 40)
    assert rows.tolist() == list(range(40))
    assert len(set(scores.tolist())) == 1


def test_of_many_equal_scores_k_are_returned(build: Build) -> None:
    rows, scores = build([[1.0, 0.0]] * 40 + [[2.0, 0.0]], "dot").search(vector(1, 0), 4)
    assert rows[0] == 40
    assert len(set(rows.tolist())) == 4
    assert scores.tolist() == [2, 1, 1, 1]


@pytest.mark.parametrize("metric", ["dot", "cosine", "angular"])
def test_items_that_are_the_same_five_times_over_do_not_hide_the_others(build: Build, metric: Metric) -> None:
    distinct, _ = low_rank(300, 1)
    index = build(np.repeat(distinct, 5, axis=0), metric)
    reference = ExactIndex(distinct if metric == "dot" else unit_rows(distinct), metric)
    for query in distinct[:20]:
        _, scores = index.search(query, 10)
        _, best = reference.search(query, 2)
        assert scores.tolist() == pytest.approx([best[0]] * 5 + [best[1]] * 5, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("metric", ["cosine", "angular"])
def test_a_zero_query_is_equally_far_from_everything(build: Build, metric: Metric) -> None:
    rows, scores = build(HAND, metric).search(vector(0, 0), 6)
    assert sorted(rows.tolist()) == [0, 1, 2, 3, 4, 5]
    assert len(set(scores.tolist())) == 1
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("metric", ["dot", "cosine", "angular"])
def test_recall_on_low_rank_vectors_is_at_least_95_percent(build: Build, metric: Metric) -> None:
    vectors, queries = low_rank(3000, 50)
    assert recall_at_k(build(vectors, metric), vectors, queries) >= 0.95


def test_of_real_factors_real_users_get_at_least_95_percent(build: Build) -> None:
    factors, users = factors_and_users()
    assert recall_at_k(build(factors, "dot"), factors, users) >= 0.95


def test_of_real_factors_items_like_others_are_at_least_95_percent(build: Build) -> None:
    factors, _ = factors_and_users()
    asked = factors[np.any(factors != 0, axis=1)][:100]
    assert recall_at_k(build(factors, "cosine"), factors, asked) >= 0.95


@pytest.mark.parametrize(("metric", "best"), [("cosine", 1.0), ("angular", 0.0)])
def test_rounding_does_not_leave_the_range_of_the_metric(build: Build, metric: Metric, best: float) -> None:
    vectors, _ = low_rank(300, 1)
    index = build(vectors, metric)
    scores = np.concatenate([index.search(vector, 2)[1] for vector in vectors])
    assert np.isfinite(scores).all()
    assert scores.max() == best


def test_an_index_can_be_saved_again_after_its_first_directory_is_gone(
    backend: VectorIndexBackend, tmp_path: Path
) -> None:
    built = backend.build(low_rank(500, 1)[0], "dot")
    contents = []
    for name in ("trial", "version"):
        directory = tmp_path / name
        directory.mkdir()
        contents.append({file: (directory / file).read_bytes() for file in built.save(directory)})
        shutil.rmtree(directory)
    assert contents[0] == contents[1]


def test_the_same_build_gives_the_same_files(backend: VectorIndexBackend, tmp_path: Path) -> None:
    vectors, _ = low_rank(500, 1)
    contents = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        files = backend.build(vectors, "dot").save(tmp_path / name)
        assert sorted(files) == sorted(path.name for path in (tmp_path / name).iterdir())
        contents.append({file: (tmp_path / name / file).read_bytes() for file in files})
    assert contents[0] == contents[1]


def test_a_second_process_maps_what_the_first_saved(backend: VectorIndexBackend, build: Build, tmp_path: Path) -> None:
    vectors, queries = low_rank(1500, 3)
    index = build(vectors, "dot")
    here = [index.search(query, 5)[0].tolist() for query in queries]
    np.save(tmp_path / "queries.npy", queries)
    script = f"""
import json, pathlib, numpy as np
from {type(backend).__module__} import {type(backend).__name__} as Backend
from recommender.vector_index.base import read_meta
directory = pathlib.Path({str(tmp_path)!r})
index = Backend("default", {backend.options!r}).open(directory, read_meta(directory))
found = [index.search(query, 5)[0].tolist() for query in np.load(directory / "queries.npy")]
maps = pathlib.Path("/proc/self/maps")
mapped = [line.split("/")[-1] for line in maps.read_text().splitlines() if str(directory) in line]
print(json.dumps([found, mapped]))
"""
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    found, mapped = json.loads(output)
    assert found == here
    used = (
        {"vectors.npy"} if index.exact else {path.name for path in tmp_path.iterdir()} - {"index.json", "queries.npy"}
    )
    assert set(mapped) == used


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_refused(backend: VectorIndexBackend, bad: float) -> None:
    vectors = np.ones((5, 3), dtype=np.float32)
    vectors[3, 1] = bad
    with pytest.raises(DataError, match=r"1 of 5 vectors hold NaN or infinity; the first is row 3\."):
        backend.build(vectors, "dot")


@pytest.mark.parametrize("shape", [(4,), (4, 0), (2, 2, 2)])
def test_what_is_not_a_matrix_is_refused(backend: VectorIndexBackend, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"a \(rows, factors\) matrix is needed"):
        backend.build(np.ones(shape, dtype=np.float32), "dot")


def test_an_unknown_metric_is_refused(backend: VectorIndexBackend) -> None:
    with pytest.raises(ConfigurationError, match="'euclidean'; it knows: angular, cosine, dot"):
        backend.build(np.ones((2, 2), dtype=np.float32), "euclidean")  # type: ignore[arg-type]


def test_a_query_that_is_not_finite_is_refused(build: Build) -> None:
    with pytest.raises(DataError, match="The query vector holds NaN"):
        build(HAND, "dot").search(vector(1, np.nan), 2)


def test_a_query_of_another_length_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\); this index needs \(2,\)"):
        build(HAND, "dot").search(vector(1, 2, 3), 2)


def test_a_negative_k_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="k is -1"):
        build(HAND, "dot").search(vector(1, 0), -1)


@pytest.mark.parametrize("exclude", [np.array([6]), np.array([-1]), np.array([True])])
def test_an_exclusion_that_does_not_fit_is_refused(build: Build, exclude: np.ndarray) -> None:
    with pytest.raises(ValueError, match="this index"):
        build(HAND, "dot").search(vector(1, 0), 1, exclude=exclude)


@pytest.mark.parametrize(
    ("stored", "check"),
    [
        (np.zeros((6, 3), np.float32), "shape"),
        (np.zeros((5, 2), np.float32), "shape"),
        (np.zeros((6, 2), np.float64), "dtype"),
    ],
)
def test_vectors_that_are_not_what_the_index_says_are_refused(
    backend: VectorIndexBackend, build: Build, tmp_path: Path, stored: np.ndarray, check: str
) -> None:
    build(HAND, "dot")
    (tmp_path / "vectors.npy").unlink()
    np.save(tmp_path / "vectors.npy", stored)
    with pytest.raises(ArtifactError) as refusal:
        backend.open(tmp_path, read_meta(tmp_path))
    assert (refusal.value.file, refusal.value.check) == ("vectors.npy", check)


def test_missing_vectors_are_refused(backend: VectorIndexBackend, build: Build, tmp_path: Path) -> None:
    build(HAND, "dot")
    (tmp_path / "vectors.npy").unlink()
    with pytest.raises(ArtifactError) as refusal:
        backend.open(tmp_path, read_meta(tmp_path))
    assert (refusal.value.file, refusal.value.check) == ("vectors.npy", "missing")


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 2}', b"\xff"])
def test_an_index_json_that_says_something_else_is_refused(build: Build, tmp_path: Path, content: bytes) -> None:
    build(HAND, "dot")
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(ArtifactError) as refusal:
        read_meta(tmp_path)
    assert (refusal.value.file, refusal.value.check) == ("index.json", "meta")


def low_rank(rows: int, queries: int, *, factors: int = 32, rank: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors as ALS leaves them: of low rank, noisy, of very different lengths."""
    generator = np.random.default_rng(5)
    basis = generator.normal(size=(rank, factors))
    vectors = generator.normal(size=(rows, rank)) @ basis + 0.3 * generator.normal(size=(rows, factors))
    vectors *= generator.lognormal(0, 0.5, size=(rows, 1))
    return vectors.astype(np.float32), (generator.normal(size=(queries, rank)) @ basis).astype(np.float32)
