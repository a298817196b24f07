"""Vectors of what items say, brought up to date between rebuilds: beat calls this every hour.

Only texts that are new or have changed are read, thirty a second with MiniLM, so that a rebuild finds them read. Words
need nothing: an item newer than the build is placed by them at once (`content_space`).
"""

from __future__ import annotations

from catalog import queries, revisions, snapshot
from recommender.training import encoded_texts
from recommender.training.encoders.base import TextEncoder, encoder


def refresh() -> int:
    """Encode what is new in each embedding space that reads texts; return how many items that were.

    Safe beside a rebuild: both keep the same vector of the same text.

    Raises
    ------
    ConfigurationError, DataError
        As `Encoder.encode`; the spaces before it are up to date.
    """
    spaces = [space for space in queries.embedding_spaces() if space.encoder and space.weight]
    reading = [(space, chosen) for space in spaces if isinstance(chosen := encoder(space.encoder), TextEncoder)]
    if not reading:
        return 0
    catalogue = snapshot.load(revisions.from_database()[revisions.CATALOGUE])
    return sum(encoded_texts.refresh(space.name, space.dimension, chosen, catalogue) for space, chosen in reading)
