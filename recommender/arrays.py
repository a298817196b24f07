"""The arrays that travel between stages, by what their numbers are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RowArray = NDArray[np.int64]
"""Rows of the catalogue snapshot, of the model, or positions; the docstring says which."""
FloatArray = NDArray[np.float32]
"""Scores and weights."""
BoolArray = NDArray[np.bool_]
"""Masks."""
