"""The space of what items say about themselves: their words as TF-IDF, condensed to short unit vectors.

`training.content` finds the space when a model is built. It is kept in the version, so that an item that came in after
the build gets its vector from its words alone, the same way as the others got theirs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from catalog.snapshot import ItemCard

PART_WEIGHTS = {"tag": 1.0, "category": 0.6, "creator": 0.6, "title": 0.4, "description": 0.4}
"""Share of each part in the vector; a tag or a category says more than a word of the description."""
PARTS_OF_WORDS = ("title", "description")

TERMS, IDF, COMPONENTS = "content.terms", "content.idf", "content.components"
"""Names of the arrays that keep a space in a model version."""

_WORD = re.compile(r"\w\w+")
_SEPARATOR = "\0"
"""Between stored terms: Postgres text never holds it, so no term does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSpace:
    """Terms, their weights and the directions they are condensed to."""

    columns: Mapping[str, int]
    """Term, as `terms_of` spells it → column."""
    idf: NDArray[np.float32]
    """(columns,) how much a term says: ln((1 + items) / (1 + items with it)) + 1."""
    components: NDArray[np.float32]
    """(dimension, columns) from the truncated SVD; dimension ≥ 1."""

    def vectors(self, cards: Sequence[ItemCard]) -> NDArray[np.float32]:
        """Return (cards, dimension) float32 unit rows; zero for a card that says nothing the space knows."""
        condensed = np.asarray(tfidf(cards, self.columns, self.idf) @ self.components.T, dtype=np.float32)
        lengths = np.linalg.norm(condensed, axis=1, keepdims=True)
        # Below: rounding of what the directions leave out entirely.
        vectors: NDArray[np.float32] = np.divide(condensed, lengths, out=np.zeros_like(condensed), where=lengths > 1e-6)
        return vectors

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `stored` reads, by name; {} for a space without any term."""
        if not self.columns:
            return {}
        terms = np.frombuffer(_SEPARATOR.join(self.columns).encode(), dtype=np.uint8)
        return {TERMS: terms, IDF: self.idf, COMPONENTS: self.components}


def stored(arrays: Mapping[str, NDArray[Any]]) -> ContentSpace | None:
    """Return the space kept in a model version's arrays, None when its content vectors did not come from one."""
    if TERMS not in arrays:
        return None
    terms = arrays[TERMS].tobytes().decode().split(_SEPARATOR)
    columns = {term: column for column, term in enumerate(terms)}
    return ContentSpace(columns=columns, idf=arrays[IDF], components=arrays[COMPONENTS])


def tfidf(cards: Sequence[ItemCard], columns: Mapping[str, int], idf: NDArray[np.floating[Any]]) -> sparse.csr_matrix:
    """Return (cards, columns) float32: (1 + ln(count)) · idf, each part of a card brought to its PART_WEIGHTS."""
    found, counts, groups, lengths = list[int](), list[int](), list[int](), list[int]()
    for number, card in enumerate(cards):
        before = len(found)
        for part, (_, terms) in enumerate(terms_of(card)):
            for term, count in terms.items():
                if term in columns:
                    found.append(columns[term])
                    counts.append(count)
                    groups.append(number * len(PART_WEIGHTS) + part)
        lengths.append(len(found) - before)
    group = np.array(groups, dtype=np.int64)
    weights = (1 + np.log(counts)) * idf[np.array(found, dtype=np.int64)]
    norms = np.sqrt(np.bincount(group, weights**2))
    weights *= np.array(list(PART_WEIGHTS.values()))[group % len(PART_WEIGHTS)] / norms[group]
    starts = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    return sparse.csr_matrix((weights.astype(np.float32), found, starts), shape=(len(cards), len(columns)))


def terms_of(card: ItemCard) -> Iterator[tuple[str, Counter[str]]]:
    """Yield (part, its terms with their counts) of an item, in the order of PART_WEIGHTS.

    A term is "part:word", in case-folded letters.
    """
    parts = {
        "tag": card.tags,
        "category": [card.category] if card.category else [],
        "creator": card.creators,
        "title": _WORD.findall(card.title),
        "description": _WORD.findall(card.description),
    }
    for part in PART_WEIGHTS:
        yield part, Counter(f"{part}:{term.casefold()}" for term in parts[part])
