"""A model version seen from one catalogue snapshot: the two number their items independently."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from catalog.snapshot import Catalogue
from recommender import content_space
from recommender.arrays import BoolArray, FloatArray, RowArray, contains
from recommender.content_space import ContentSpace
from recommender.registry.artifacts import Bundle

MOST_PLACED = 5_000
"""Items placed by their words, a tenth of a millisecond each once a process; whatever else an import has changed waits
for the next rebuild."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class ModelView:
    """A bundle with both directions of the mapping between its rows and the catalogue's."""

    bundle: Bundle
    catalogue: Catalogue
    row_in_catalogue: RowArray
    """(model items,) row of the catalogue, -1 where the item has been deleted since the build."""
    row_in_model: RowArray
    """(catalogue items,) row of the model, -1 where the item is newer than the build."""
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    deleted: int
    """Number of the model's items that the catalogue no longer has."""
    newer: RowArray
    """(newer items,) rows of the catalogue that the model does not have, ascending."""
    space: ContentSpace | None
    """Where `content.vectors` come from; None when they cannot be computed from the items' words."""
    _vector_of: dict[tuple[int, int], FloatArray] = field(default_factory=dict, init=False, repr=False)
    """(primary key, revision) of an item placed by its words → its vector."""

    @cached_property
    def popularity(self) -> FloatArray:
        """(catalogue items,) float32, what the model counted of each item; of a newer one what the catalogue says."""
        counted = np.asarray(self.array("popularity"), dtype=np.float32)
        return np.where(self.row_in_model < 0, self.catalogue.popularity, counted[np.maximum(self.row_in_model, 0)])

    @cached_property
    def by_popularity(self) -> RowArray:
        """(catalogue items,) all rows, the most popular first, equals in ascending order."""
        return np.argsort(-self.popularity, kind="stable")

    @cached_property
    def placed_by_words(self) -> RowArray:
        """(n,) rows, ascending, of the items that came in or were changed after the build, the latest MOST_PLACED."""
        if self.space is None:
            return np.empty(0, dtype=np.int64)
        built_at = self.bundle.meta.get("catalogue_revision")
        revisions = self.catalogue.item_revisions
        changed = np.flatnonzero(revisions > built_at) if built_at is not None else self.newer
        rows = np.union1d(self.newer, changed)
        if len(rows) > MOST_PLACED:
            rows = np.sort(rows[np.argsort(revisions[rows], kind="stable")[-MOST_PLACED:]])
        return rows

    @cached_property
    def _vectors_by_words(self) -> FloatArray:
        """(placed, dimension) float32; zero for an item that says nothing."""
        rows = self.placed_by_words
        keys = list(zip(self.catalogue.pks[rows].tolist(), self.catalogue.item_revisions[rows].tolist(), strict=True))
        unread = [place for place, key in enumerate(keys) if key not in self._vector_of]
        if unread and self.space is not None:
            read = self.space.vectors([self.catalogue.cards[row] for row in rows[unread].tolist()])
            self._vector_of.update(zip((keys[place] for place in unread), read, strict=True))
        for outdated in self._vector_of.keys() - set(keys):
            self._vector_of.pop(outdated, None)
        return np.stack([self._vector_of[key] for key in keys])

    def content_vectors(self, rows: RowArray) -> tuple[FloatArray, BoolArray]:
        """Return (len(rows), dimension) float32 content vectors of catalogue `rows`, and which of them are known.

        An item that is newer than the build, or has changed since, is known by its words, once the model was built from
        words.
        """
        model_rows, known = self.known(rows)
        vectors: FloatArray = self.array("content.vectors").take(model_rows, axis=0)
        placed = np.flatnonzero(contains(self.placed_by_words, rows))
        if len(placed):
            vectors[placed] = self._vectors_by_words[np.searchsorted(self.placed_by_words, rows[placed])]
            known[placed] = vectors[placed].any(axis=1)
        vectors[~known] = 0
        return vectors, known

    def array(self, name: str) -> NDArray[Any]:
        """Return the bundle's array `name`; KeyError when this version was built without it."""
        return self.bundle.arrays[name]

    def matrix(self, name: str) -> sparse.csr_matrix:
        """Return the (items, items) matrix of the arrays `<name>.indptr`, `.indices` and `.data`, without a copy."""

        def make() -> sparse.csr_matrix:
            parts = tuple(self.array(f"{name}.{part}") for part in ("data", "indices", "indptr"))
            return sparse.csr_matrix(parts, shape=(self.bundle.items, self.bundle.items), copy=False)

        return self.once(name, make)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` made of this version, the first time it was asked for."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def known(self, rows: RowArray) -> tuple[RowArray, NDArray[np.bool_]]:
        """Return the model rows of catalogue `rows` (unknown ones clipped to 0) and the mask of known ones."""
        model_rows = self.row_in_model[rows]
        return np.maximum(model_rows, 0), model_rows >= 0

    def spread(self, model_scores: FloatArray, rows: RowArray) -> FloatArray:
        """Return the scores of catalogue `rows`, nan where the model does not know the item."""
        model_rows, known = self.known(rows)
        return np.where(known, model_scores[model_rows], np.float32(np.nan)).astype(np.float32)


def build(bundle: Bundle, catalogue: Catalogue, *, earlier: ModelView | None = None) -> ModelView:
    """Match the bundle's items with the catalogue's by primary key.

    What an `earlier` view of the same bundle has read of it is taken over: the catalogue changes far more often.
    """
    if earlier is not None and earlier.catalogue.pks is catalogue.pks:
        # Items have changed, none has come or gone.
        row_in_catalogue, row_in_model = earlier.row_in_catalogue, earlier.row_in_model
    else:
        row_in_catalogue = catalogue.rows_of_pks(bundle.item_pks)
        row_in_model = np.full(len(catalogue), -1, dtype=np.int64)
        present = np.flatnonzero(row_in_catalogue >= 0)
        row_in_model[row_in_catalogue[present]] = present
    newer = np.flatnonzero(row_in_model < 0)
    view = ModelView(
        bundle,
        catalogue,
        row_in_catalogue,
        row_in_model,
        deleted=int(np.count_nonzero(row_in_catalogue < 0)),
        newer=newer,
        space=content_space.stored(bundle.arrays) if earlier is None else earlier.space,
    )
    if earlier is not None:
        view._made.update(earlier._made)
        view._vector_of.update(earlier._vector_of)
    return view


_lock = threading.Lock()
_current: tuple[Bundle, Catalogue, ModelView] | None = None


def current(bundle: Bundle, catalogue: Catalogue) -> ModelView:
    """Return this process's view of the pair, matched anew when either has been replaced."""
    global _current
    held = _current
    if held is not None and held[0] is bundle and held[1] is catalogue:
        return held[2]
    with _lock:
        earlier = held[2] if held is not None and held[0] is bundle else None
        view = build(bundle, catalogue, earlier=earlier)
        _current = (bundle, catalogue, view)
        return view
