"""The vectors of the embedding spaces, uploaded or encoded, as the models' rows number the items."""

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
from recommender.vector_index.base import Metric

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceVectors:
    """One embedding space: the vectors of the items that have one."""

    name: str
    metric: Metric
    weight: float
    """Its share when spaces are blended; positive."""
    rows: NDArray[np.int64]
    """(n,) rows of the items, ascending."""
    vectors: NDArray[np.float32]
    """(n, dimension) as they were stored, finite."""


def load(catalogue: Catalogue, seed: int, progress: Progress = lambda stage: None) -> list[SpaceVectors]:
    """Read all spaces from Postgres, and compute those that name an encoder.

    Spaces without a vector, or with a weight of 0, are left out.

    Parameters
    ----------
    catalogue
        Its rows are the rows of the result; vectors of items it does not have are left out.
    progress
        Called with the name of each space that is encoded, as it starts.

    Raises
    ------
    ConfigurationError
        A space names an encoder that RECOMMENDER_ENCODERS does not have, or that lacks its library or model.
    DataError
        A vector is not as long as its space says, or not finite; naming space and item.
    """
    found = []
    for space in queries.embedding_spaces():
        if space.weight > 0:
            if space.encoder:
                progress(f"encoding {space.name}")
            found.append(_encoded(space, catalogue, seed) if space.encoder else _stored(space, catalogue.pks))
    return [space for space in found if len(space.rows)]


def arrays(spaces: Sequence[SpaceVectors]) -> dict[str, NDArray[Any]]:
    """Return what a bundle keeps beside the indexes: `embedding.<space>.rows`, the item of each row of the index."""
    return {f"{index_name(space.name)}.rows": space.rows for space in spaces}


def weights(spaces: Sequence[SpaceVectors]) -> dict[str, float]:
    """Return the weight of each space by name, for the bundle's meta data."""
    return {space.name: space.weight for space in spaces}


def to_index(spaces: Sequence[SpaceVectors]) -> dict[str, tuple[NDArray[np.float32], Metric]]:
    """Return the vectors and the metric of each space's index, by the index's name."""
    return {index_name(space.name): (space.vectors, space.metric) for space in spaces}


def index_name(space: str) -> str:
    """Return the name of a space's index in a bundle."""
    return f"embedding.{space}"


def _encoded(space: Any, catalogue: Catalogue, seed: int) -> SpaceVectors:
    chosen = encoder(space.encoder)
    if isinstance(chosen, TextEncoder):
        encoded_texts.refresh(space.name, space.dimension, chosen, catalogue)
        return _stored(space, catalogue.pks)
    vectors = chosen.encode(catalogue.cards, space.dimension, seed)
    _require_finite(space.name, vectors, catalogue.pks)
    saying = np.flatnonzero(vectors.any(axis=1))
    return _space(space, saying, vectors[saying])


def _stored(space: Any, item_pks: NDArray[np.int64]) -> SpaceVectors:
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
    return _space(space, np.searchsorted(item_pks, keys[known]).astype(np.int64), vectors[known])


def _space(space: Any, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> SpaceVectors:
    return SpaceVectors(
        name=space.name,
        metric=cast(Metric, space.metric),
        weight=space.weight,
        rows=rows,
        vectors=np.ascontiguousarray(vectors, dtype=np.float32),
    )


def _require_finite(space: str, vectors: NDArray[np.float32], pks: NDArray[np.int64]) -> None:
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise DataError(f"Space {space!r}: the vector of item {pks[~finite][0]} holds NaN or infinity.")
