"""The vectors of the embedding spaces, uploaded or encoded, as the models' rows number the items, and their indexes.

Indexed once a rebuild: they are the same whatever part of the events a model is trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from catalog import queries
from catalog.snapshot import Catalogue
from recommender.exceptions import DataError
from recommender.training import encoded_texts
from recommender.training.encoders.base import TextEncoder, encoder
from recommender.vector_index.base import BuiltIndex, Metric
from recommender.vector_index.handler import backend

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedSpace:
    """One embedding space: the items that have a vector there, and the index of their vectors."""

    name: str
    weight: float
    """Its share when spaces are blended; positive."""
    rows: NDArray[np.int64]
    """(n,) row of the item of each row of the index, ascending; n of 1 or more."""
    index: BuiltIndex


def load(catalogue: Catalogue, seed: int, progress: Progress = lambda stage: None) -> list[IndexedSpace]:
    """Read all spaces from Postgres, compute those that name an encoder, and index them.

    Spaces without a vector, or with a weight of 0, are left out.

    Parameters
    ----------
    catalogue
        Its rows are the rows of the result; vectors of items it does not have are left out.
    progress
        Called with what is done to which space, as it starts.

    Raises
    ------
    ConfigurationError
        A space names an encoder that RECOMMENDER_ENCODERS does not have, or that lacks its library or model.
    DataError
        A vector is not as long as its space says, or not finite; naming space and item.
    """
    found = []
    for space in queries.embedding_spaces():
        if not space.weight:
            continue
        if space.encoder:
            progress(f"encoding {space.name}")
        rows, vectors = _encoded(space, catalogue, seed) if space.encoder else _stored(space, catalogue.pks)
        if len(rows):
            progress(f"indexing {space.name}")
            index = backend().build(vectors, cast(Metric, space.metric))
            found.append(IndexedSpace(name=space.name, weight=space.weight, rows=rows, index=index))
    return found


def arrays(spaces: Sequence[IndexedSpace]) -> dict[str, NDArray[Any]]:
    """Return what a bundle keeps beside the indexes: `embedding.<space>.rows`, the item of each row of the index."""
    return {f"{index_name(space.name)}.rows": space.rows for space in spaces}


def weights(spaces: Sequence[IndexedSpace]) -> dict[str, float]:
    """Return the weight of each space by name, for the bundle's meta data."""
    return {space.name: space.weight for space in spaces}


def indexes(spaces: Sequence[IndexedSpace]) -> dict[str, BuiltIndex]:
    """Return the indexes by their names in a bundle."""
    return {index_name(space.name): space.index for space in spaces}


def index_name(space: str) -> str:
    """Return the name of a space's index in a bundle."""
    return f"embedding.{space}"


def _encoded(space: Any, catalogue: Catalogue, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    chosen = encoder(space.encoder)
    if isinstance(chosen, TextEncoder):
        encoded_texts.refresh(space.name, space.dimension, chosen, catalogue)
        return _stored(space, catalogue.pks)
    vectors = chosen.encode(catalogue.cards, space.dimension, seed)
    _require_finite(space.name, vectors, catalogue.pks)
    saying = np.flatnonzero(vectors.any(axis=1))
    return saying, vectors[saying]


def _stored(space: Any, item_pks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    pks: list[int] = []
    packed: list[bytes] = []
    for pk, vector in queries.embeddings(space.name):
        if len(vector) != 4 * space.dimension:
            stated = f"Space {space.name!r} has {space.dimension} dimensions"
            raise DataError(f"{stated}, the stored vector of item {pk} {len(vector) / 4:g}.")
        pks.append(pk)
        packed.append(vector)
    keys = np.array(pks, dtype=np.int64)
    known = np.isin(keys, item_pks)
    vectors = np.frombuffer(b"".join(packed), dtype="<f4").reshape(len(pks), space.dimension)
    _require_finite(space.name, vectors, keys)
    return np.searchsorted(item_pks, keys[known]).astype(np.int64), vectors[known]


def _require_finite(space: str, vectors: NDArray[np.float32], pks: NDArray[np.int64]) -> None:
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise DataError(f"Space {space!r}: the vector of item {pks[~finite][0]} holds NaN or infinity.")
