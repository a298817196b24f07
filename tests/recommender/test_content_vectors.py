"""Between rebuilds the texts that are new or have changed are encoded, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings

from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from recommender.tasks import refresh_content_vectors
from recommender.training.encoders.base import TextEncoder

pytestmark = pytest.mark.django_db

read: list[str] = []


class Lengths(TextEncoder):
    """The direction of a text is its number of characters."""

    def fingerprint(self) -> str:
        return "lengths"

    def encode_texts(self, texts: list[str]) -> Any:
        read.extend(texts)
        return np.eye(64)[[len(text) for text in texts]]


@pytest.fixture(autouse=True)
def encoders(settings: django_settings) -> None:
    read.clear()
    settings.RECOMMENDER_ENCODERS = {
        "lengths": {"BACKEND": f"{__name__}.Lengths"},
        "tfidf": {"BACKEND": "recommender.training.encoders.tfidf.TfidfEncoder"},
    }
    for item_id in ("Heat", "Ronin"):
        Item.objects.create(item_id=item_id, title=item_id)


def test_spaces_that_read_texts_are_kept_up_to_date() -> None:
    EmbeddingSpace.objects.create(name="text", dimension=64, encoder="lengths")
    # Computed from all items at once, in the rebuild; uploaded; not used.
    EmbeddingSpace.objects.create(name="words", dimension=64, encoder="tfidf")
    EmbeddingSpace.objects.create(name="audio", dimension=64)
    EmbeddingSpace.objects.create(name="unused", dimension=64, encoder="lengths", weight=0)
    assert refresh_content_vectors() == 2
    assert read == ["Heat", "Ronin"]
    read.clear()
    Item.objects.filter(item_id="Heat").update(title="Heat 2")
    Item.objects.create(item_id="Up", title="Up")
    assert refresh_content_vectors() == 2
    assert read == ["Heat 2", "Up"]
    rows = ItemEmbedding.objects.order_by("item").values_list("space__name", "vector")
    kept = [(space, int(np.argmax(np.frombuffer(vector, dtype="<f4")))) for space, vector in rows]
    assert kept == [("text", 6), ("text", 5), ("text", 2)]


def test_a_site_without_such_spaces_reads_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert refresh_content_vectors() == 0
