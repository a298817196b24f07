"""What approximate indexes have in common: a few candidates found quickly, then scored exactly.

A backend builds a structure beside the vectors with an optional library, saves it as further files, and opens it where
there are enough rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from django.core import checks
from numpy.typing import NDArray

from recommender.exceptions import ArtifactError
from recommender.vector_index.base import (
    BuiltIndex,
    Exclusion,
    IndexMeta,
    Metric,
    Rows,
    Scores,
    VectorIndex,
    VectorIndexBackend,
    Vectors,
    excluded_mask,
)
from recommender.vector_index.brute_force import BuiltExactIndex, ExactIndex, best_rows, open_exact, score


class ApproximateIndex(VectorIndex):
    """Candidates from somewhere, scores from the stored vectors."""

    exact = False

    def __init__(self, reference: ExactIndex) -> None:
        """Take the exact index over the same vectors: it scores the candidates, and answers where they run out."""
        self.reference = reference
        self.vectors, self.metric = reference.vectors, reference.metric
        self.rows, self.factors = reference.rows, reference.factors

    @abstractmethod
    def candidates(self, query: Vectors, wanted: int, effort: float) -> Rows:
        """Return distinct rows near `query`, (factors,) float32, ascending; `wanted`, 1 or more, if it can."""

    def candidates_without(self, query: Vectors, due: int, effort: float, mask: NDArray[np.bool_]) -> Rows:
        """Return the same, `due` of them if it can, without the rows that `mask`, (rows,), marks."""
        found = self.candidates(query, due + int(np.count_nonzero(mask)), effort)
        return found[~mask[found]]

    def search(
        self, query: Vectors, k: int, *, exclude: Exclusion | None = None, effort: float = 1.0
    ) -> tuple[Rows, Scores]:
        vector = self.checked_query(query, k)
        mask = excluded_mask(exclude, self.rows)
        excluded = 0 if mask is None else int(np.count_nonzero(mask))
        due = min(k, self.rows - excluded)
        if not due or 2 * (due + excluded) > self.rows:
            # Most of all rows are scanned faster than they are looked up.
            return self.reference.search(vector, k, exclude=mask)
        if mask is None:
            found = self.candidates(vector, due, effort)
        else:
            found = self.candidates_without(vector, due, effort, mask)
        if len(found) < due:
            # It gave up before enough distinct rows were met; a short answer would break the promise of k'.
            return self.reference.search(vector, k, exclude=mask)
        scores = score(self.vectors[found], vector, self.metric)
        best = best_rows(scores, due)
        return found[best], scores[best]


class BuiltApproximateIndex(BuiltExactIndex):
    """A structure about to be saved, with the vectors it was built from."""

    def __init__(
        self,
        stored: Vectors,
        meta: IndexMeta,
        structure: Any,
        further: Sequence[str],
        write: Callable[[Any, Path], None],
    ) -> None:
        """Take what `write` writes into a directory as the files `further`; a structure of None is not written."""
        super().__init__(stored, meta)
        self._structure = structure
        self._further = further
        self._write = write

    def save_files(self, directory: Path) -> list[str]:
        files = super().save_files(directory)
        if self._structure is None:
            return files
        self._write(self._structure, directory)
        return [*files, *self._further]


class ApproximateBackend(VectorIndexBackend):
    """Backend of approximate search; exact below `exact_below` rows and where the library is not installed.

    Below it nothing is built either: lowering it takes effect with the next rebuild. The private methods are called
    only where the library is installed, and import it themselves.
    """

    library: ClassVar[str]
    """Name to import it by."""
    title: ClassVar[str]
    """Name to tell people."""
    files: ClassVar[tuple[str, ...]]
    """Names of the saved structure's files, the structure proper first."""
    warning_id: ClassVar[str]
    """Of the system check's warning that the library is not installed."""
    remedy: ClassVar[str]
    """Its hint."""
    may_be_zero: ClassVar = frozenset({"exact_below"})

    @property
    def available(self) -> bool:
        try:
            import_module(self.library)
        except ImportError:
            return False
        return True

    def build(self, vectors: Vectors, metric: Metric) -> BuiltIndex:
        stored = self.checked_vectors(vectors, metric)
        structure = self._structure_of(stored, metric) if self._due(len(stored)) else None
        return BuiltApproximateIndex(stored, self.meta_of(stored, metric), structure, self.files, self._write)

    def open(self, directory: Path, meta: IndexMeta) -> VectorIndex:
        reference = open_exact(directory, meta)
        saved = all((directory / file).exists() for file in self.files)
        if not self._due(meta.rows) or not saved:
            return reference
        file = self.files[0]
        try:
            structure, rows = self._read(directory, meta)
        except (OSError, RuntimeError, ValueError) as error:
            raise ArtifactError(f"{file}: {error}", file=file, check="format") from error
        if rows != meta.rows:
            message = f"{file}: holds {rows} rows, index.json says {meta.rows}"
            raise ArtifactError(message, file=file, check="shape")
        return self._index(structure, reference, meta)

    def check(self) -> Sequence[checks.CheckMessage]:
        if self.available:
            return []
        message = (
            f"RECOMMENDER_VECTOR_INDEXES[{self.alias!r}]: {self.title} is not installed, so every search is exact."
        )
        return [checks.Warning(message, hint=self.remedy, id=self.warning_id)]

    def _due(self, rows: int) -> bool:
        """Tell whether so many rows are to be searched by a structure here."""
        return self.available and rows >= max(self.options["exact_below"], 1)

    @abstractmethod
    def _structure_of(self, stored: Vectors, metric: Metric) -> Any:
        """Return a structure over all rows, one or more; None when they are too few for this kind of structure."""

    @abstractmethod
    def _write(self, structure: Any, directory: Path) -> None:
        """Write the structure as `files` into the directory; OSError when the disk is full."""

    @abstractmethod
    def _read(self, directory: Path, meta: IndexMeta) -> tuple[Any, int]:
        """Map a saved structure; return it and its number of rows.

        OSError, RuntimeError or ValueError when the files are none.
        """

    @abstractmethod
    def _index(self, structure: Any, reference: ExactIndex, meta: IndexMeta) -> ApproximateIndex:
        """Return the index that searches a structure which `_read` returned."""
