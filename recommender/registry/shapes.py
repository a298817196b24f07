"""Whether a version's arrays and indexes fit together: rows for its items, matrices and indexes that stay within them.

Sums prove that files are what was written. This proves that what was written can be served, whatever wrote it: a
mistake of a trainer would else be an IndexError in the midst of a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.exceptions import ArtifactError
from recommender.registry.manifest import INDEX_PREFIX
from recommender.vector_index.base import INDEX_FILE, VectorIndex

Arrays = Mapping[str, NDArray[Any]]

DIMENSIONS = {
    "popularity": ("items",),
    "popularity_over_time.counts": ("any", "items"),
    "item_to_item.spread": ("items",),
    "content.vectors": ("items", "content"),
    "content.components": ("content", "terms"),
    "content.idf": ("terms",),
    "collaborative.factors": ("items", "factors"),
    "collaborative.gram": ("factors", "factors"),
}
"""What each axis counts; those of one name are as long in every array. Arrays that are not here may have any shape."""
SEARCHED_WITH = {"content": "content", "collaborative": "factors", "collaborative_items": "factors"}
"""Index → the axis whose vectors it is searched with."""


def check(arrays: Arrays, items: int, indexes: Mapping[str, VectorIndex]) -> None:
    """Raise ArtifactError, with the check "shape", unless everything fits a model of `items` items."""
    lengths = _axes(arrays, items)
    for name, index in indexes.items():
        _check_index(name, index, arrays, items, lengths)
    for name in arrays:
        if name.endswith(".indptr"):
            of_users = name.removesuffix(".indptr") in indexes
            _check_matrix(name.removesuffix(".indptr"), arrays, items, rows=None if of_users else items)


def _axes(arrays: Arrays, items: int) -> dict[str, int]:
    """Return the length of each named axis."""
    lengths = {"items": items}
    for name, axes in DIMENSIONS.items():
        if name not in arrays:
            continue
        shape = arrays[name].shape
        expected = tuple(
            length if axis == "any" else lengths.setdefault(axis, length)
            for axis, length in zip(axes, shape, strict=False)
        )
        if len(axes) != len(shape) or expected != shape:
            wanted = ", ".join(str(lengths.get(axis, axis)) for axis in axes)
            _refuse(f"{name}.npy", f"shape is {shape}, this model needs ({wanted})")
    return lengths


def _check_index(name: str, index: VectorIndex, arrays: Arrays, items: int, lengths: Mapping[str, int]) -> None:
    file = f"{INDEX_PREFIX}{name}/{INDEX_FILE}"
    # An index of users comes with what each of them took; all others are of items.
    taken = arrays.get(f"{name}.indptr")
    rows, of = (items, "items") if taken is None else (len(taken) - 1, "users")
    if index.rows > rows:
        _refuse(file, f"has {index.rows} rows, the model has {rows} {of}")
    factors = lengths.get(SEARCHED_WITH.get(name, ""), index.factors)
    if index.factors != factors:
        _refuse(file, f"has vectors of {index.factors}, the model of {factors}")
    of_rows = arrays.get(f"{name}.rows")
    if of_rows is not None and (len(of_rows) != index.rows or not _within(of_rows, items)):
        _refuse(f"{name}.rows.npy", f"must name one of {items} items for each of {index.rows} vectors")


def _check_matrix(name: str, arrays: Arrays, items: int, rows: int | None) -> None:
    """Check the compressed rows `<name>.indptr`, `.indices`, `.data`; `rows` None: any number of them."""
    starts, columns = arrays[f"{name}.indptr"], arrays.get(f"{name}.indices", np.empty(0, np.int32))
    values = arrays.get(f"{name}.data", columns)
    if (
        starts.ndim != 1
        or starts.dtype.kind != "i"
        or not len(starts)
        or (rows is not None and len(starts) != rows + 1)
    ):
        _refuse(
            f"{name}.indptr.npy", f"is {starts.dtype} of shape {starts.shape}, this model needs integers ({items + 1},)"
        )
    if starts[0] != 0 or starts[-1] != len(columns) or bool((np.diff(starts) < 0).any()):
        _refuse(f"{name}.indptr.npy", f"rows must begin at 0, follow each other and end at {len(columns)}")
    if columns.shape != values.shape or not _within(columns, items):
        _refuse(f"{name}.indices.npy", f"must name one of {items} items for each of {len(values)} values")


def _within(rows: NDArray[Any], items: int) -> bool:
    if rows.dtype.kind != "i":
        return False
    return not len(rows) or (int(rows.min()) >= 0 and int(rows.max()) < items)


def _refuse(file: str, message: str) -> None:
    raise ArtifactError(f"{file}: {message}.", file=file, check="shape")
