"""Unit vectors of what items say about themselves: TF-IDF of their words, condensed by truncated SVD."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from catalog.snapshot import ItemCard

# Share of each part in the vector; a tag or a category says more than a word of the description.
PART_WEIGHTS = {"tags": 1.0, "category": 0.6, "creators": 0.6, "title": 0.4, "description": 0.4}


def train(cards: Sequence[ItemCard], dimension: int, seed: int) -> NDArray[np.float32]:
    """Return (items, dimension') float32 unit rows; an item that says nothing has a zero row.

    dimension' is `dimension`, or less where the vocabulary is smaller.
    """
    parts = [
        _tfidf([[f"tag:{tag.casefold()}" for tag in card.tags] for card in cards], PART_WEIGHTS["tags"]),
        _tfidf([[f"category:{card.category.casefold()}"] if card.category else [] for card in cards],
               PART_WEIGHTS["category"]),
        _tfidf([[f"creator:{name.casefold()}" for name in card.creators] for card in cards], PART_WEIGHTS["creators"]),
        _words([card.title for card in cards], PART_WEIGHTS["title"]),
        _words([card.description for card in cards], PART_WEIGHTS["description"]),
    ]  # fmt: skip
    features = sparse.csr_matrix(
        sparse.hstack([part for part in parts if part.shape[1]] or [sparse.csr_matrix((len(cards), 1))])
    )
    dimension = min(dimension, features.shape[1] - 1, features.shape[0] - 1)
    if dimension < 1:
        return np.asarray(normalize(features.toarray()), dtype=np.float32)
    # scikit-learn also divides by the total variance, which is 0 when all items say the same.
    with np.errstate(invalid="ignore"):
        vectors = TruncatedSVD(dimension, random_state=seed).fit_transform(features)
    vectors[np.asarray(features.getnnz(axis=1)) == 0] = 0
    return np.asarray(normalize(vectors), dtype=np.float32)


def _tfidf(terms: list[list[str]], weight: float) -> sparse.csr_matrix:
    return _vectorise(TfidfVectorizer(analyzer=_as_is, sublinear_tf=True), terms, weight)


def _words(texts: list[str], weight: float) -> sparse.csr_matrix:
    return _vectorise(TfidfVectorizer(stop_words="english", min_df=2, sublinear_tf=True), texts, weight)


def _vectorise(vectorizer: TfidfVectorizer, documents: Sequence[object], weight: float) -> sparse.csr_matrix:
    try:
        return sparse.csr_matrix(vectorizer.fit_transform(documents) * weight)
    except ValueError:  # an empty vocabulary: no item has this part
        return sparse.csr_matrix((len(documents), 0))


def _as_is(terms: list[str]) -> list[str]:
    return terms
