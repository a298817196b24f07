"""The arrays that travel between stages, by what their numbers are, and the one question asked of them everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RowArray = NDArray[np.int64]
"""Rows of the catalogue snapshot, of the model, or positions; the docstring says which."""
FloatArray = NDArray[np.float32]
"""Scores and weights."""
BoolArray = NDArray[np.bool_]
"""Masks."""


def contains(ascending: RowArray, rows: RowArray) -> BoolArray:
    """Return (len(rows),) True where the row is among `ascending`, which has each once: four times np.isin."""
    if not len(ascending):
        return np.zeros(len(rows), dtype=bool)
    places = np.minimum(np.searchsorted(ascending, rows), len(ascending) - 1)
    return np.asarray(ascending[places] == rows)
