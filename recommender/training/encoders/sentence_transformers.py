"""Sentences read by a neural network: the library sentence-transformers (Reimers and Gurevych 2019).

An optional package, which brings PyTorch: pip install sentence-transformers (the extra `sentence-transformers`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from recommender.training.encoders.pretrained import PretrainedEncoder


class SentenceTransformersEncoder(PretrainedEncoder):
    """Vectors of a transformer.

    Options
    -------
    model
        A folder or a name; the default makes 384 dimensions.
    batch_size
        Texts at a time.
    device
        "cpu", "cuda", …; "" lets the library choose.
    """

    library: ClassVar = "sentence_transformers"
    install: ClassVar = "pip install 'sentence-transformers>=6,<7'"
    default_options: ClassVar = {"model": "sentence-transformers/all-MiniLM-L6-v2", "batch_size": 64, "device": ""}

    def load(self, name: str) -> Any:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(name, device=self.options["device"] or None)

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        encoded: NDArray[np.float32] = self.model.encode(
            texts, batch_size=self.options["batch_size"], show_progress_bar=False, convert_to_numpy=True
        )
        return encoded
