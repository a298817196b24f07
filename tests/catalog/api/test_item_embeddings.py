"""Vectors over HTTP."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalog.models import EmbeddingSpace, Item, ItemEmbedding
from tests.catalog.api.conftest import JsonClient

VECTOR = [0.5, -0.25] * 32


@pytest.fixture
def audio(db: None) -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(name="audio", dimension=64)


def test_put_stores_then_replaces_the_vector(api: JsonClient, heat: Item, audio: EmbeddingSpace) -> None:
    first = api.send("PUT", "items/heat/embeddings/audio", {"vector": VECTOR, "model_version": "v1"})
    assert first.status_code == 201
    assert first.json() == {"item_id": "heat", "space": "audio", "dimension": 64, "model_version": "v1"}

    assert api.send("PUT", "items/heat/embeddings/audio", {"vector": [1] * 64}).status_code == 200

    stored = ItemEmbedding.objects.get()
    assert (stored.item_id, stored.space_id, stored.model_version) == (heat.pk, audio.pk, "")
    assert np.frombuffer(stored.vector, dtype="<f4").tolist() == [1.0] * 64


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "message"),
    [
        (
            "items/heat/embeddings/text",
            {"vector": VECTOR},
            404,
            "space_unknown",
            "There is no embedding space 'text'; there are: audio.",
        ),
        ("items/ronin/embeddings/audio", {"vector": VECTOR}, 404, "item_unknown", "There is no item 'ronin'."),
        (
            "items/heat/embeddings/audio",
            {"vector": VECTOR[:3]},
            400,
            "dimension_mismatch",
            "Space 'audio' has 64 dimensions, the vector 3.",
        ),
        (
            "items/heat/embeddings/audio",
            {"vector": [1e39, *VECTOR[1:]]},
            400,
            "number_invalid",
            "vector[0] is 1e+39, which is not a finite 32-bit number.",
        ),
        (
            "items/heat/embeddings/audio",
            {"vector": [0] * 64},
            400,
            "number_invalid",
            "Space 'audio' compares directions, and a vector of zeros has none.",
        ),
        (
            "items/heat/embeddings/audio",
            {"vector": [True, *VECTOR[1:]]},
            400,
            "type",
            "vector[0] must be a number, got a boolean.",
        ),
        (
            "items/heat/embeddings/audio",
            {"vector": "x"},
            400,
            "type",
            "vector must be a list of numbers, got a string.",
        ),
        ("items/heat/embeddings/audio", {}, 400, "field_required", "vector is missing."),
        (
            "items/heat/embeddings/audio",
            {"vector": VECTOR, "item": 1},
            400,
            "field_unknown",
            "'item' is not a field here; allowed: vector, model_version.",
        ),
        (
            "items/heat/embeddings/audio",
            {"vector": VECTOR, "model_version": "x" * 51},
            400,
            "too_long",
            "model_version has 51 characters; at most 50.",
        ),
    ],
)
def test_a_bad_vector_is_refused_and_nothing_is_stored(
    api: JsonClient, heat: Item, audio: EmbeddingSpace, path: str, body: Any, status: int, code: str, message: str
) -> None:
    answer = api.send("PUT", path, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (status, code, message)
    assert ItemEmbedding.objects.count() == 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(api: JsonClient, heat: Item, audio: EmbeddingSpace, number: str) -> None:
    body = f'{{"vector": [0, {number}]}}'.encode()
    error = api.send("PUT", "items/heat/embeddings/audio", body).json()["error"]
    assert (error["code"], error["field"]) == ("number_invalid", "vector[1]")
    assert ItemEmbedding.objects.count() == 0
