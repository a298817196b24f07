"""Vectors from the database to a published version and its `similar` lists."""

from __future__ import annotations

import numpy as np
import pytest

from catalog import embeddings, snapshot
from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from recommender import rebuilding, serving
from recommender.exceptions import ConfigurationError, DataError
from recommender.registry import storage
from recommender.training import embedding_spaces
from recommender.training.embedding_spaces import IndexedSpace
from recommender.vector_index.brute_force import BuiltExactIndex
from tests.recommender.conftest import Commit
from tests.recommender.film_site import ids

pytestmark = pytest.mark.django_db

TITLES = ["Heat", "Ronin", "Thief", "Clue"]


@pytest.fixture
def pks() -> np.ndarray:
    """Return the primary keys of four films that say nothing else about themselves."""
    items = [Item.objects.create(item_id=title.lower(), title=title) for title in TITLES]
    return np.array([item.pk for item in items])


def unit(place: int, dimension: int = 64) -> list[float]:
    return np.eye(dimension)[place].tolist()


def load() -> list[IndexedSpace]:
    return embedding_spaces.load(snapshot.load(revision=1), seed=1)


def vectors_of(space: IndexedSpace) -> np.ndarray:
    assert isinstance(space.index, BuiltExactIndex)
    return space.index.vectors


def space(name: str, weight: float = 1.0, *, dimension: int = 64, metric: str = "cosine") -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(name=name, dimension=dimension, weight=weight, metric=metric)


def test_each_space_has_the_rows_and_vectors_of_its_items(pks: np.ndarray) -> None:
    space("audio", 0.5, metric="dot")
    space("text", 0.3, dimension=384)
    embeddings.store("thief", "audio", unit(1))
    embeddings.store("heat", "audio", [2.0, *unit(0)[1:]])
    embeddings.store("clue", "text", unit(5, 384))
    audio, text = load()
    assert (audio.name, audio.weight, audio.rows.tolist()) == ("audio", 0.5, [0, 2])
    assert (audio.index.meta.metric, audio.index.meta.factors) == ("dot", 64)
    assert vectors_of(audio).tolist() == [[2.0, *unit(0)[1:]], unit(1)]
    assert (text.name, text.weight, text.rows.tolist()) == ("text", 0.3, [3])
    assert (text.index.meta.metric, text.index.meta.factors) == ("cosine", 384)


def test_spaces_that_cannot_count_are_left_out(pks: np.ndarray) -> None:
    space("empty")
    space("off", 0.0)
    embeddings.store("heat", "off", unit(0))
    assert load() == []


def test_items_newer_than_the_catalogue_that_was_read_are_left_out(pks: np.ndarray) -> None:
    before = snapshot.load(revision=1)
    Item.objects.create(item_id="alien", title="Alien")
    space("audio")
    embeddings.store("heat", "audio", unit(0))
    embeddings.store("alien", "audio", unit(1))
    (audio,) = embedding_spaces.load(before, seed=1)
    assert audio.rows.tolist() == [0]


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (np.ones(63, "<f4"), r"^Space 'audio' has 64 dimensions, the stored vector of item {pk} 63\.$"),
        (np.full(64, np.nan, "<f4"), r"^Space 'audio': the vector of item {pk} holds NaN or infinity\.$"),
    ],
)
def test_a_stored_vector_that_cannot_be_is_named(pks: np.ndarray, vector: np.ndarray, message: str) -> None:
    audio = space("audio")
    ItemEmbedding.objects.create(item_id=pks[1], space=audio, vector=vector.tobytes())
    with pytest.raises(DataError, match=message.format(pk=pks[1])):
        load()


def test_a_space_that_names_an_encoder_is_computed() -> None:
    films = {"heat": ["heist", "police"], "ronin": ["heist", "police"], "clue": ["whodunit", "butler"], "silent": []}
    for item_id, tags in films.items():
        Item.objects.create(item_id=item_id, title="", tags=tags)
    words = space("words", 0.5)
    EmbeddingSpace.objects.filter(pk=words.pk).update(encoder="tfidf")
    # Uploaded ones do not count then.
    embeddings.store("silent", "words", unit(7))
    stages: list[str] = []
    (found,) = embedding_spaces.load(snapshot.load(revision=1), 1, stages.append)
    assert stages == ["encoding words", "indexing words"]
    assert (found.rows.tolist(), found.weight) == ([0, 1, 2], 0.5)
    vectors = vectors_of(found)
    assert vectors.shape == (3, 64)
    assert vectors @ vectors.T == pytest.approx(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]]), abs=1e-6)


def test_an_encoder_that_does_not_exist_is_named(pks: np.ndarray) -> None:
    EmbeddingSpace.objects.create(name="words", dimension=64, encoder="minilm")
    with pytest.raises(ConfigurationError, match=r"^RECOMMENDER_ENCODERS has no 'minilm'; it has: tfidf\.$"):
        load()


def test_a_rebuild_indexes_the_spaces_and_similar_blends_them(pks: np.ndarray, models: object, commit: Commit) -> None:
    for name, weight in {"audio": 0.5, "text": 0.3, "metadata": 0.2}.items():
        space(name, weight)
    with commit():
        # Thief sounds like Heat, Ronin only reads like it; Clue has no vector at all.
        for name, by_item in {
            "audio": {"heat": unit(0), "thief": unit(0), "ronin": unit(1)},
            "text": {"heat": unit(0), "ronin": unit(0), "thief": unit(1)},
            "metadata": {"heat": unit(0), "ronin": unit(1)},
        }.items():
            for item_id, vector in by_item.items():
                embeddings.store(item_id, name, vector)
        built = rebuilding.rebuild("test")
    assert (built.published, built.reasons) == (True, [])
    assert built.version is not None
    bundle = storage.load(built.version.directory, built.version.manifest_sha256)
    assert bundle.meta["embeddings"] == {"audio": 0.5, "metadata": 0.2, "text": 0.3}
    recalls = built.metrics["index_recall"]
    assert {name: recalls[f"embedding.{name}"] for name in bundle.meta["embeddings"]} == {
        "audio": 1.0, "metadata": 1.0, "text": 1.0,
    }  # fmt: skip
    made = serving.similar_to("heat", limit=3)
    # Thief 0.5 / 0.8, Ronin 0.3 / 1.
    assert ids(made)[:2] == ["thief", "ronin"]
    assert {item.reason for item in made.items[:2]} == {"Similar to Heat"}
