"""Unit vectors of what items say about themselves: TF-IDF of their words, condensed by truncated SVD."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from catalog.snapshot import ItemCard
from recommender.content_space import PARTS_OF_WORDS, ContentSpace, terms_of, tfidf

LEAST_ITEMS = 2
"""A word that only one item uses says nothing about others. Tags, categories and creators are kept all the same: the
next item may share them."""


def train(cards: Sequence[ItemCard], dimension: int, seed: int) -> NDArray[np.float32]:
    """Return (items, dimension') float32 unit rows; an item that says nothing has a zero row.

    dimension' is `dimension`, or less where the vocabulary is smaller.
    """
    return fit(cards, dimension, seed).vectors(cards)


def fit(cards: Sequence[ItemCard], dimension: int, seed: int) -> ContentSpace:
    """Return the space of these items; see `train` for its dimension."""
    frequency = _items_by_term(cards)
    columns = {term: column for column, term in enumerate(sorted(frequency))}
    counts = np.array([frequency[term] for term in columns], dtype=np.float64)
    idf = (np.log((1 + len(cards)) / (1 + counts)) + 1).astype(np.float32)
    return ContentSpace(columns=columns, idf=idf, components=_components(cards, columns, idf, dimension, seed))


def _items_by_term(cards: Sequence[ItemCard]) -> dict[str, int]:
    """Return how many items have each term that is worth a column."""
    frequency: Counter[str] = Counter()
    for card in cards:
        for _, counts in terms_of(card):
            frequency.update(counts.keys())
    stop_words = {f"{part}:{word}" for part in PARTS_OF_WORDS for word in ENGLISH_STOP_WORDS}
    words = tuple(f"{part}:" for part in PARTS_OF_WORDS)
    return {
        term: items
        for term, items in frequency.items()
        if not term.startswith(words) or (items >= LEAST_ITEMS and term not in stop_words)
    }


def _components(
    cards: Sequence[ItemCard], columns: Mapping[str, int], idf: NDArray[np.float32], dimension: int, seed: int
) -> NDArray[np.float32]:
    dimension = min(dimension, len(columns) - 1, len(cards) - 1)
    if dimension < 1:
        return np.eye(max(len(columns), 1), len(columns), dtype=np.float32)
    # scikit-learn also divides by the total variance, which is 0 when all items say the same.
    with np.errstate(invalid="ignore"):
        svd = TruncatedSVD(dimension, random_state=seed).fit(tfidf(cards, columns, idf))
    return np.asarray(svd.components_, dtype=np.float32)
