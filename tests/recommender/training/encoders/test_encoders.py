from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings

from catalog.snapshot import ItemCard
from recommender.exceptions import ConfigurationError, DataError
from recommender.training.encoders.base import TextEncoder, encoder, text_of
from recommender.training.encoders.checks import check_encoders
from recommender.training.encoders.model2vec import Model2VecEncoder
from recommender.training.encoders.sentence_transformers import SentenceTransformersEncoder
from recommender.training.encoders.tfidf import TfidfEncoder

TFIDF = "recommender.training.encoders.tfidf.TfidfEncoder"
MODEL2VEC = "recommender.training.encoders.model2vec.Model2VecEncoder"
SENTENCES = "recommender.training.encoders.sentence_transformers.SentenceTransformersEncoder"

HEAT = ItemCard(
    item_id="heat", title="Heat", creators=("Michael Mann",), category="Crime", tags=("heist", "police"),
    description="A thief plans a last robbery.",
)  # fmt: skip
SILENT = ItemCard(item_id="silent", title=" ")


class Lengths(TextEncoder):
    """(number of characters, 4): hand-sized."""

    def fingerprint(self) -> str:
        return "lengths"

    def encode_texts(self, texts: list[str]) -> Any:
        return np.array([[len(text), 4.0] for text in texts])


class Broken(Lengths):
    """Makes NaN of the letter x."""

    def encode_texts(self, texts: list[str]) -> Any:
        return np.array([[np.nan if "x" in text else 1.0] for text in texts])


class FakeTransformer:
    """Stands for a model of three dimensions; remembers what it was asked."""

    asked: dict[str, Any]

    def __init__(self, name: str, device: str | None) -> None:
        if name == "missing":
            raise OSError("missing is no local folder")
        FakeTransformer.asked = {"name": name, "device": device}

    def encode(self, texts: list[str], **options: Any) -> Any:
        FakeTransformer.asked |= {"texts": texts, **options}
        return np.array([[0.0, 3.0, 4.0]] * len(texts), dtype=np.float32)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a small stand-in where sentence-transformers would be."""
    module = ModuleType("sentence_transformers")
    module.SentenceTransformer = FakeTransformer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)


def test_an_item_is_read_as_one_text() -> None:
    assert text_of(HEAT) == "Heat. Michael Mann. Crime. heist, police. A thief plans a last robbery."
    assert text_of(SILENT) == ""


def test_vectors_are_of_unit_length_and_zero_for_an_item_that_says_nothing() -> None:
    cards = [SILENT, ItemCard(item_id="up", title="Upo")]
    vectors = Lengths("lengths", {}).encode(cards, 2, seed=1)
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(np.array([[0.0, 0.0], [0.6, 0.8]]))
    assert Lengths("lengths", {}).encode([SILENT], 64, seed=1).tolist() == [[0.0] * 64]


def test_another_dimension_than_the_space_has_is_refused() -> None:
    message = r"^Encoder 'lengths' makes vectors of 2 dimensions; its embedding space has 64\.$"
    with pytest.raises(DataError, match=message):
        Lengths("lengths", {}).encode([HEAT], 64, seed=1)


def test_a_vector_that_is_not_finite_is_named() -> None:
    cards = [HEAT, ItemCard(item_id="max", title="Mad Max")]
    with pytest.raises(DataError, match=r"^Encoder 'broken' makes NaN or infinity of the text of item 'max'\.$"):
        Broken("broken", {}).encode(cards, 1, seed=1)


def test_words_fill_the_dimension_of_the_space() -> None:
    cards = [HEAT, ItemCard(item_id="clue", title="", tags=("whodunit", "butler"))]
    vectors = TfidfEncoder("tfidf", {}).encode(cards, 64, seed=1)
    assert vectors.shape == (2, 64)
    assert not vectors[:, 1:].any()


def test_sentences_are_encoded_by_the_model_that_was_chosen(library: None) -> None:
    chosen = SentenceTransformersEncoder("minilm", {"model": "/models/minilm", "batch_size": 8, "device": "cpu"})
    vectors = chosen.encode([HEAT, SILENT], 3, seed=1)
    assert vectors == pytest.approx(np.array([[0.0, 0.6, 0.8], [0.0, 0.0, 0.0]]))
    assert FakeTransformer.asked == {
        "name": "/models/minilm", "device": "cpu", "texts": [text_of(HEAT)], "batch_size": 8,
        "show_progress_bar": False, "convert_to_numpy": True,
    }  # fmt: skip


def test_a_static_model_is_loaded_once_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class StaticModel:
        loaded: list[str] = []

        @classmethod
        def from_pretrained(cls, name: str) -> StaticModel:
            cls.loaded.append(name)
            return cls()

        def encode(self, texts: list[str]) -> Any:
            return np.array([[3.0, 4.0]] * len(texts))

    module = ModuleType("model2vec")
    module.StaticModel = StaticModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "model2vec", module)
    chosen = Model2VecEncoder("potion", {"model": "/models/potion"})
    for _ in range(2):
        assert chosen.encode([HEAT], 2, seed=1) == pytest.approx(np.array([[0.6, 0.8]]))
    assert StaticModel.loaded == ["/models/potion"]
    assert chosen.fingerprint() == "model2vec /models/potion"


def test_a_model_that_cannot_be_had_is_named(library: None) -> None:
    chosen = SentenceTransformersEncoder("minilm", {"model": "missing"})
    message = "^Encoder 'minilm': the model 'missing' cannot be had: missing is no local folder$"
    with pytest.raises(ConfigurationError, match=message):
        chosen.encode([HEAT], 384, seed=1)


@pytest.mark.parametrize(
    ("path", "library", "install"),
    [
        (SENTENCES, "sentence_transformers", "pip install 'sentence-transformers>=6,<7'"),
        (MODEL2VEC, "model2vec", "pip install 'model2vec>=0.10,<1'"),
    ],
)
def test_without_the_library_it_says_what_to_install(
    settings: django_settings, monkeypatch: pytest.MonkeyPatch, path: str, library: str, install: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    settings.RECOMMENDER_ENCODERS = {"mine": {"BACKEND": path}}
    (message,) = check_encoders()
    assert (message.id, message.msg) == (
        "recommender.E006",
        f"RECOMMENDER_ENCODERS['mine'] needs the library {library}.",
    )
    assert message.hint == f"{install}, or remove the entry."
    with pytest.raises(ConfigurationError, match=f"^Encoder 'mine' needs a library: {re.escape(install)}"):
        encoder("mine").encode([HEAT], 384, seed=1)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"OPTIONS": {}}, "it needs BACKEND"),
        ({"BACKEND": "pathlib.Path"}, "pathlib.Path is not a subclass of Encoder"),
        ({"BACKEND": TFIDF, "OPTIONS": {"dimension": 64}}, "unknown option 'dimension'; options are: none"),
        ({"BACKEND": SENTENCES, "OPTIONS": {"model": 7}}, "model is 7; it must be text"),
        ({"BACKEND": SENTENCES, "OPTIONS": {"batch_size": 0}}, "batch_size is 0; it must be an integer of 1 or more"),
        ({"BACKEND": SENTENCES, "OPTIONS": {"batch_size": True}}, "batch_size is True"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named(settings: django_settings, entry: dict[str, Any], message: str) -> None:
    settings.RECOMMENDER_ENCODERS = {"mine": entry}
    (found,) = check_encoders()
    assert found.id == "recommender.E005"
    assert found.msg.startswith("RECOMMENDER_ENCODERS['mine']")
    assert message in found.msg


def test_the_default_setting_passes() -> None:
    assert check_encoders() == []
    assert isinstance(encoder("tfidf"), TfidfEncoder)
