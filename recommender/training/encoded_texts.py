"""Vectors of texts are kept in the catalogue: a rebuild encodes what is new or has changed, not everything again.

The model version of a stored vector is the hash of its text and of the encoder, so an uploaded vector, an edited item
and another model are all noticed. A core reads some thirty texts a second with MiniLM.
"""

from __future__ import annotations

import hashlib

from catalog import embeddings, queries
from catalog.snapshot import Catalogue
from recommender.training.encoders.base import TextEncoder, text_of

BATCH = 1_000
"""Texts whose vectors are kept together: what a rebuild that is stopped has to do again."""


def refresh(space: str, dimension: int, encoder: TextEncoder, catalogue: Catalogue) -> int:
    """Bring the vectors of a space up to date with the texts of its items; return how many were encoded.

    An item that says nothing loses its vector. The vectors are kept even if the rebuild fails later on.

    Raises
    ------
    ConfigurationError, DataError
        As `Encoder.encode`.
    """
    pks = catalogue.pks.tolist()
    texts = zip(pks, map(text_of, catalogue.cards), strict=True)
    versions = {pk: _version(encoder, text) for pk, text in texts if text}
    stored = queries.embedding_versions(space)
    embeddings.forget(space, [pk for pk in pks if pk in stored and pk not in versions])
    stale = [row for row, pk in enumerate(pks) if pk in versions and stored.get(pk) != versions[pk]]
    for start in range(0, len(stale), BATCH):
        rows = stale[start : start + BATCH]
        vectors = encoder.encode([catalogue.cards[row] for row in rows], dimension, seed=0)
        made = {pks[row]: vector for row, vector in zip(rows, vectors, strict=True) if vector.any()}
        embeddings.refresh(space, made, versions)
    return len(stale)


def _version(encoder: TextEncoder, text: str) -> str:
    return hashlib.sha256(f"{encoder.fingerprint()}\0{text}".encode()).hexdigest()[:40]
