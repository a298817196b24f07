"""Words counted and condensed, as the source `content` has them: for a space of its own beside others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.snapshot import ItemCard
from recommender.training import content
from recommender.training.encoders.base import Encoder


class TfidfEncoder(Encoder):
    """TF-IDF and truncated SVD (`training.content`); needs nothing that is not installed."""

    def encode(self, cards: Sequence[ItemCard], dimension: int, seed: int) -> NDArray[np.float32]:
        vectors = content.train(cards, dimension, seed)
        # A small vocabulary has fewer dimensions; zeros change no product.
        return np.pad(vectors, ((0, 0), (0, dimension - vectors.shape[1])))
