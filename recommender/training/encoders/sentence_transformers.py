"""Sentences read by a neural network: the library sentence-transformers (Reimers and Gurevych 2019).

An optional package, which brings PyTorch: pip install sentence-transformers (the extra `sentence-transformers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
from django.core.checks import CheckMessage, Error
from numpy.typing import NDArray

from recommender.exceptions import ConfigurationError
from recommender.training.encoders.base import TextEncoder

INSTALL = "pip install 'sentence-transformers>=6,<7'"


class SentenceTransformersEncoder(TextEncoder):
    """Vectors of a pre-trained model.

    Options
    -------
    model
        A folder, or a name at huggingface.co, fetched once and kept in that library's cache. The default makes 384
        dimensions. Name another folder for another model: the vectors of one name are taken to be the same.
    batch_size
        Texts at a time.
    device
        "cpu", "cuda", …; "" lets the library choose.
    """

    default_options: ClassVar = {"model": "sentence-transformers/all-MiniLM-L6-v2", "batch_size": 64, "device": ""}

    def fingerprint(self) -> str:
        return f"sentence_transformers {self.options['model']}"

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ConfigurationError(f"Encoder {self.alias!r} needs a library: {INSTALL}.") from error
        name = self.options["model"]
        try:
            model = SentenceTransformer(name, device=self.options["device"] or None)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"Encoder {self.alias!r}: the model {name!r} cannot be had: {error}") from error
        encoded: NDArray[np.float32] = model.encode(
            texts, batch_size=self.options["batch_size"], show_progress_bar=False, convert_to_numpy=True
        )
        return encoded

    def check(self) -> Sequence[CheckMessage]:
        if find_spec("sentence_transformers") is not None:
            return []
        return [
            Error(
                f"RECOMMENDER_ENCODERS[{self.alias!r}] needs the library sentence-transformers.",
                hint=f"{INSTALL} (it brings PyTorch), or remove the entry.",
                id="recommender.E006",
            )
        ]
