"""The interface of a vector index: built once in a rebuild, saved as files, mapped read-only by every process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, cast, get_args

import msgspec
import numpy as np
from django.core.checks import CheckMessage
from numpy.typing import NDArray

from recommender.exceptions import ArtifactError, ConfigurationError, DataError

Metric = Literal["angular", "cosine", "dot"]
"""What a score is; higher is closer.

- "dot": inner product q·v.
- "cosine": q·v / (|q||v|), -1..1; 0 when either is the zero vector.
- "angular": -sqrt(2 - 2 cosine), -2..0: the negated Euclidean distance of the unit vectors.
"""

METRICS: tuple[Metric, ...] = get_args(Metric)

Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
Exclusion = NDArray[np.int64] | NDArray[np.bool_]

INDEX_FILE = "index.json"
VECTORS_FILE = "vectors.npy"


class IndexMeta(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `index.json` says of the files beside it; opening compares them with it."""

    format: Literal[1] = 1
    alias: str
    """Key of RECOMMENDER_VECTOR_INDEXES it was built by."""
    backend: str
    """`VectorIndexBackend.name` of the class that built it."""
    metric: Metric
    factors: int
    rows: int
    options: dict[str, Any]


class VectorIndex(ABC):
    """An opened index. Immutable and safe to share between threads."""

    vectors: Vectors
    """(rows, factors) float32, read-only: as given to `build`, of unit length unless the metric is "dot"."""
    metric: Metric
    rows: int
    """Number of vectors; results are 0..rows-1."""
    factors: int
    """Length of a vector."""
    exact: bool
    """True when `search` now answers with an exact scan."""

    @abstractmethod
    def search(
        self, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        """Return the rows that score highest against `query`, best first; equal scores by ascending row.

        Parameters
        ----------
        query
            (factors,) float32, finite.
        k
            Rows wanted, 0 or more.
        exclude
            (m,) int64 rows that must not be returned, or (rows,) bool, True = must not.
        effort
            Above 0. How far an approximate index looks, as a multiple of what it is configured to; an exact one looks
            at everything anyway.

        Returns
        -------
        rows, scores
            (k',) int64 and (k',) float32 with k' = min(k, rows not excluded). Scores are exact for every backend.

        Raises
        ------
        DataError
            The query is not finite.
        ValueError
            The query is not of length `factors`, or k is negative.
        """

    def announce(self, name: str) -> None:  # noqa: B027 -- most indexes have nobody to tell
        """Be told that this index is the one called `name` of the version that serves from now on."""

    def checked_query(self, query: Vectors, k: int) -> Vectors:
        """Return `query` as contiguous float32, or raise as `search` documents."""
        vector = np.ascontiguousarray(query, dtype=np.float32)
        if vector.shape != (self.factors,):
            raise ValueError(f"The query has shape {vector.shape}; this index needs ({self.factors},).")
        if k < 0:
            raise ValueError(f"k is {k}; it must be 0 or more.")
        if not np.isfinite(vector).all():
            raise DataError("The query vector holds NaN or infinity.")
        return vector


class BuiltIndex(ABC):
    """A finished build, still in memory."""

    meta: IndexMeta
    vectors: Vectors
    """As `VectorIndex.vectors`."""

    def save(self, directory: Path) -> list[str]:
        """Write the index into the existing, empty `directory` and return the names of its files.

        Nothing here is atomic: `registry.storage` writes into a directory that nobody reads yet, hashes and syncs
        what is named, and renames the whole.
        """
        (directory / INDEX_FILE).write_bytes(msgspec.json.encode(self.meta))
        return [INDEX_FILE, *self.save_files(directory)]

    def claim(self, version: str, name: str) -> None:  # noqa: B027 -- most indexes lie in the version's own directory
        """Hold what is kept elsewhere than in the directory for as long as this version has files."""

    @abstractmethod
    def save_files(self, directory: Path) -> list[str]:
        """Write everything but `index.json`; an implementation must write VECTORS_FILE, exact search leans on it."""


class VectorIndexBackend(ABC):
    """One way to build and open indexes, made from one entry of RECOMMENDER_VECTOR_INDEXES.

    Implementers may not raise when an optional library is missing: `available` is then False, `check` says so, and
    `open` answers with exact search. They may not keep a reference to the vectors after `save`.
    """

    name: ClassVar[str]
    """Short and stable; written into every index."""
    metrics: ClassVar[frozenset[Metric]] = frozenset(METRICS)
    """Metrics `build` accepts."""
    exact: ClassVar[bool] = False
    """True when no search of this backend can miss a neighbour: measuring recall is then pointless."""
    memory_mapped: ClassVar[bool] = True
    """True when processes of one machine share the index's memory."""
    remote: ClassVar[bool] = False
    """True when a saved index is searched on a server: trials, which fork, then scan instead."""
    default_options: ClassVar[Mapping[str, Any]] = {}
    """Every option with its default: integers of 1 or more, but for those that the next three name."""
    may_be_zero: ClassVar[frozenset[str]] = frozenset()
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Options that are one of several words."""
    texts: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        """Take the entry's OPTIONS; raise ConfigurationError naming the option, the value and what is allowed."""
        self.alias = alias
        for option, value in options.items():
            if option not in self.default_options:
                allowed = ", ".join(sorted(self.default_options)) or "none"
                raise ConfigurationError(
                    f"RECOMMENDER_VECTOR_INDEXES[{alias!r}]: unknown option {option!r}; options are: {allowed}."
                )
            least = 0 if option in self.may_be_zero else 1
            if option in self.choices:
                fits, needed = value in self.choices[option], f"one of {', '.join(self.choices[option])}"
            elif option in self.texts:
                fits, needed = isinstance(value, str), "a text"
            else:
                fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
                needed = f"an integer of {least} or more"
            if not fits:
                raise ConfigurationError(
                    f"RECOMMENDER_VECTOR_INDEXES[{alias!r}]: {option} is {value!r}; it must be {needed}."
                )
        self.options: dict[str, Any] = {**self.default_options, **options}

    @property
    def available(self) -> bool:
        """Whether the library this backend needs can be used in this process."""
        return True

    @abstractmethod
    def build(self, vectors: Vectors, metric: Metric) -> BuiltIndex:
        """Build an index over `vectors`, (rows, factors) float32; no rows at all is fine.

        Raises
        ------
        ConfigurationError
            The backend does not know `metric`.
        DataError
            The vectors are not finite, or not a matrix of at least one column.
        """

    @abstractmethod
    def open(self, directory: Path, meta: IndexMeta) -> VectorIndex:
        """Map an index that this backend saved; raise ArtifactError when the files are not what `meta` says."""

    def require(self) -> None:  # noqa: B027 -- most backends need nothing but this process
        """Raise BackendError when nothing could be built now: a rebuild asks before its work begins."""

    def sweep(self, versions: Collection[str]) -> None:  # noqa: B027 -- see `BuiltIndex.claim`
        """Drop what is kept elsewhere for versions that are not among these, given by directory name."""

    def check(self) -> Sequence[CheckMessage]:
        """Return system-check messages about this backend on this machine."""
        return []

    def checked_vectors(self, vectors: Vectors, metric: Metric) -> Vectors:
        """Return the vectors to store, (rows, factors) float32: of unit length unless the metric is "dot"."""
        if metric not in self.metrics:
            allowed = ", ".join(sorted(self.metrics))
            raise ConfigurationError(f"Backend {self.name!r} does not know the metric {metric!r}; it knows: {allowed}.")
        matrix = np.ascontiguousarray(vectors, dtype=np.float32)
        if matrix.ndim != 2 or not matrix.shape[1]:
            raise DataError(f"Vectors to index have shape {matrix.shape}; a (rows, factors) matrix is needed.")
        require_finite(matrix)
        return matrix if metric == "dot" else unit_rows(matrix)

    def meta_of(self, stored: Vectors, metric: Metric) -> IndexMeta:
        """Return what `index.json` must say of the vectors `stored`."""
        rows, factors = stored.shape
        return IndexMeta(
            alias=self.alias, backend=self.name, metric=metric, factors=factors, rows=rows, options=dict(self.options)
        )


def require_finite(vectors: Vectors) -> None:
    """Raise DataError naming the first row that holds NaN or infinity."""
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise DataError(f"{len(bad)} of {len(vectors)} vectors hold NaN or infinity; the first is row {bad[0]}.")


def unit_rows(vectors: Vectors) -> Vectors:
    """Return the vectors scaled to length 1, (rows, factors) float32; zero vectors stay zero."""
    lengths = np.sqrt(np.einsum("rf,rf->r", vectors, vectors, dtype=np.float64))[:, np.newaxis]
    units: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0, casting="same_kind")
    return units


def excluded_mask(exclude: Exclusion | None, rows: int) -> NDArray[np.bool_] | None:
    """Return `exclude` as a (rows,) mask, None when nothing is excluded; ValueError when it does not fit."""
    if exclude is None or not len(exclude):
        return None
    if exclude.dtype == np.bool_:
        if exclude.shape != (rows,):
            raise ValueError(f"The exclusion mask has shape {exclude.shape}; this index needs ({rows},).")
        return cast(NDArray[np.bool_], exclude)
    if exclude.min() < 0 or exclude.max() >= rows:
        raise ValueError(f"Excluded rows are {exclude.min()}..{exclude.max()}; this index has rows 0..{rows - 1}.")
    mask = np.zeros(rows, dtype=bool)
    mask[exclude] = True
    return mask


def read_meta(directory: Path) -> IndexMeta:
    """Read `index.json` of a saved index; ArtifactError when it is missing or does not say what it must."""
    path = directory / INDEX_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=IndexMeta)
    except OSError as error:
        raise ArtifactError(
            f"{path.name}: cannot be read: {error.strerror}", file=path.name, check="missing"
        ) from error
    except msgspec.MsgspecError as error:
        raise ArtifactError(f"{path.name}: {error}", file=path.name, check="meta") from error
