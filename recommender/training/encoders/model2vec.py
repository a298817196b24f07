"""Sentences read by a table of word vectors that was distilled from a network: the library model2vec.

An optional package without PyTorch: pip install model2vec (the extra `model2vec`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from recommender.training.encoders.pretrained import PretrainedEncoder


class Model2VecEncoder(PretrainedEncoder):
    """Vectors of a static model: far quicker than a network, and blind to the order of words.

    Options
    -------
    model
        A folder or a name; the default makes 256 dimensions.
    """

    library: ClassVar = "model2vec"
    install: ClassVar = "pip install 'model2vec>=0.10,<1'"
    default_options: ClassVar = {"model": "minishlab/potion-base-8M"}

    def load(self, name: str) -> Any:
        from model2vec import StaticModel

        return StaticModel.from_pretrained(name)

    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        encoded: NDArray[np.float32] = self.model.encode(texts)
        return encoded
