"""A site of nine films in a real database, with a model whose every number is written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.utils import timezone
from scipy import sparse

from catalog.models import Item
from interactions.recording import EventInput, record
from recommender.contracts import RecommendationList
from recommender.models import ModelVersion
from recommender.registry import jobs, publishing, storage
from recommender.registry.jobs import Lease
from recommender.training import neighbour_matrix
from recommender.vector_index import handler

FILMS = {
    # item id: (category, number of people who took it)
    "heat": ("crime", 9),
    "ronin": ("crime", 8),
    "thief": ("crime", 7),
    "airplane": ("comedy", 6),
    "clue": ("comedy", 5),
    "alien": ("scifi", 4),
    "arrival": ("scifi", 3),
    "up": ("family", 2),
    "coco": ("family", 1),
}
POPULAR = list(FILMS)
"""Item ids, most popular first."""
PAIRS = {
    ("heat", "ronin"): 0.6,
    ("heat", "thief"): 0.5,
    ("ronin", "thief"): 0.4,
    ("airplane", "clue"): 0.7,
    ("alien", "arrival"): 0.8,
}
"""Both ways: what goes together."""


class FilmSite:
    """The films (those above, unless others are given), the people who come, and what they do."""

    def __init__(
        self,
        commit: Callable[[], AbstractContextManager[Any]],
        films: Mapping[str, tuple[str, int]] = FILMS,
        pairs: Mapping[tuple[str, str], float] = PAIRS,
    ) -> None:
        self.commit, self.films, self.pairs = commit, films, pairs
        with commit():
            for number, (item_id, (category, people)) in enumerate(films.items()):
                Item.objects.create(
                    item_id=item_id,
                    title=item_id.title(),
                    category=category,
                    tags=[category],
                    popularity=people,
                    published_at=datetime(2000 + number % 20, 1, 1, tzinfo=UTC),
                )
            self.pks = dict(Item.objects.values_list("item_id", "id"))
            self.publish()

    def publish(self) -> ModelVersion:
        """Publish the model as the next version."""
        films = self.films
        row = {item_id: number for number, item_id in enumerate(films)}
        weights = np.zeros((len(films), len(films)), dtype=np.float32)
        for (one, other), weight in self.pairs.items():
            weights[row[one], row[other]] = weights[row[other], row[one]] = weight
        categories = sorted({category for category, _ in films.values()})
        vectors = np.zeros((len(films), len(categories)), dtype=np.float32)
        for item_id, (category, _) in films.items():
            vectors[row[item_id], categories.index(category)] = 1
        arrays: dict[str, Any] = {
            "item_pks": np.array([self.pks[item_id] for item_id in films], dtype=np.int64),
            "popularity": np.array([people for _, people in films.values()], dtype=np.float32),
            "content.vectors": vectors,
            **neighbour_matrix.arrays("item_to_item", sparse.csr_matrix(weights)),
        }
        claimed = jobs.claim("test")
        assert isinstance(claimed, Lease)
        with claimed:
            name = publishing.next_name()
            version = publishing.record_version(
                name,
                stored=storage.write(name, arrays, {}, {"content": handler.backend().build(vectors, "cosine")}),
                fencing_token=claimed.fencing_token,
                metrics={},
            )
            publishing.publish(version, fencing_token=claimed.fencing_token)
            claimed.finish(version)
        return version

    def does(self, user_id: str, *events: tuple[str, str]) -> None:
        """Record (event type, item id) of a user, a minute apart, the last one a minute ago."""
        now = timezone.now()
        with self.commit():
            verdicts = record(
                [
                    EventInput(
                        user_id=user_id,
                        item_id=item_id,
                        event_type=event_type,
                        occurred_at=now - timedelta(minutes=len(events) - number),
                    )
                    for number, (event_type, item_id) in enumerate(events)
                ]
            )
        assert [verdict.status for verdict in verdicts] == ["accepted"] * len(events)


def ids(made: RecommendationList) -> list[str]:
    """Return the item ids of a list, in order."""
    return [item.item_id for item in made.items]
