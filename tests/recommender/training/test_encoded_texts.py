"""Only what is new or has changed is encoded again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalog import embeddings, snapshot
from catalog.embeddings import UnknownSpace
from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from recommender.training import encoded_texts
from recommender.training.encoders.base import TextEncoder

pytestmark = pytest.mark.django_db

FILMS = {"heat": "Heat", "ronin": "Ronin", "silent": ""}


class Lengths(TextEncoder):
    """The direction of a text is its number of characters; remembers what it read."""

    def __init__(self, model: str = "first") -> None:
        super().__init__("lengths", {})
        self.model = model
        self.read: list[str] = []

    def fingerprint(self) -> str:
        return self.model

    def encode_texts(self, texts: list[str]) -> Any:
        self.read += texts
        return np.eye(64)[[len(text) for text in texts]]


@pytest.fixture(autouse=True)
def films() -> None:
    EmbeddingSpace.objects.create(name="text", dimension=64)
    for item_id, title in FILMS.items():
        Item.objects.create(item_id=item_id, title=title)


def refresh(encoder: Lengths) -> list[str]:
    """Return what was read."""
    encoded_texts.refresh("text", 64, encoder, snapshot.load(revision=1))
    return encoder.read


def stored() -> dict[str, int]:
    """Return item id → the one dimension that is not zero."""
    rows = ItemEmbedding.objects.values_list("item__item_id", "vector")
    return {item_id: int(np.argmax(np.frombuffer(vector, dtype="<f4"))) for item_id, vector in rows}


def test_the_first_time_everything_that_says_something_is_encoded() -> None:
    assert refresh(Lengths()) == ["Heat", "Ronin"]
    assert stored() == {"heat": 4, "ronin": 5}


def test_the_second_time_nothing_is() -> None:
    refresh(Lengths())
    assert refresh(Lengths()) == []
    assert stored() == {"heat": 4, "ronin": 5}


def test_what_is_new_edited_or_uploaded_is_encoded_and_what_falls_silent_is_forgotten() -> None:
    refresh(Lengths())
    Item.objects.filter(item_id="heat").update(title="Heat 2")
    Item.objects.filter(item_id="ronin").update(title="")
    Item.objects.create(item_id="up", title="Up")
    assert refresh(Lengths()) == ["Heat 2", "Up"]
    assert stored() == {"heat": 6, "up": 2}
    embeddings.store("up", "text", np.eye(64)[9].tolist())
    assert refresh(Lengths()) == ["Up"]
    assert stored() == {"heat": 6, "up": 2}


def test_another_model_reads_everything_again() -> None:
    refresh(Lengths())
    assert refresh(Lengths("second")) == ["Heat", "Ronin"]


def test_items_deleted_meanwhile_are_left_out() -> None:
    catalogue = snapshot.load(revision=1)
    Item.objects.filter(item_id="heat").delete()
    assert encoded_texts.refresh("text", 64, Lengths(), catalogue) == 2
    assert stored() == {"ronin": 5}


def test_batches_are_kept_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoded_texts, "BATCH", 1)

    class Fails(Lengths):
        def encode_texts(self, texts: list[str]) -> Any:
            if "Ronin" in texts:
                raise OSError("out of memory")
            return super().encode_texts(texts)

    with pytest.raises(OSError, match="out of memory"):
        refresh(Fails())
    assert stored() == {"heat": 4}
    assert refresh(Lengths()) == ["Ronin"]


def test_a_space_that_is_gone_is_named() -> None:
    EmbeddingSpace.objects.all().delete()
    with pytest.raises(UnknownSpace, match=r"^There is no embedding space 'text'; there are: none\.$"):
        refresh(Lengths())
