"""`manage.py import_embeddings`: files of vectors, stored whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from catalog.models import EmbeddingSpace, Item, ItemEmbedding

pytestmark = pytest.mark.django_db

ONES = [1.0] * 64
HALVES = [0.5, -0.25] * 32


@pytest.fixture(autouse=True)
def films() -> None:
    for item_id in ("heat", "ronin"):
        Item.objects.create(item_id=item_id, title=item_id.title())


@pytest.fixture
def audio() -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(name="audio", dimension=64)


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path / "vectors.npz", **arrays)
    return path / "vectors.npz"


def jsonl(path: Path, *lines: Any) -> Path:
    file = path / "vectors.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def csv(path: Path, text: str) -> Path:
    (path / "vectors.csv").write_text(text)
    return path / "vectors.csv"


def stored() -> dict[str, list[float]]:
    rows = ItemEmbedding.objects.values_list("item__item_id", "vector")
    return {item_id: np.frombuffer(vector, dtype="<f4").tolist() for item_id, vector in rows}


def refusal(path: Path, *options: str) -> str:
    with pytest.raises(CommandError) as error:
        call_command("import_embeddings", "audio", str(path), *options)
    return str(error.value)


def test_arrays_are_stored(audio: EmbeddingSpace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = npz(tmp_path, item_ids=np.array(["heat", "ronin"]), vectors=np.array([ONES, HALVES], dtype=np.float16))
    call_command("import_embeddings", "audio", str(file), "--model-version", "encoder-3")
    assert stored() == {"heat": ONES, "ronin": HALVES}
    assert set(ItemEmbedding.objects.values_list("model_version", flat=True)) == {"encoder-3"}
    assert capsys.readouterr().out == (
        "2 new and 0 replaced vectors in audio (64 dimensions, weight 1). The next rebuild uses them.\n"
    )


def test_lines_are_stored_and_replace_what_is_there(
    audio: EmbeddingSpace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_embeddings", "audio", str(jsonl(tmp_path, {"item_id": "heat", "vector": ONES})))
    capsys.readouterr()
    both = jsonl(tmp_path, {"item_id": "heat", "vector": HALVES}, "", {"item_id": "ronin", "vector": [1] * 64})
    call_command("import_embeddings", "audio", str(both))
    assert stored() == {"heat": HALVES, "ronin": ONES}
    assert capsys.readouterr().out.startswith("1 new and 1 replaced vectors in audio")


def test_cells_are_stored(audio: EmbeddingSpace, tmp_path: Path) -> None:
    call_command("import_embeddings", "audio", str(csv(tmp_path, f"vector,item_id\n{'|'.join(['1'] * 64)},heat\n")))
    assert stored() == {"heat": ONES}


def test_a_space_is_made_when_asked_for(tmp_path: Path) -> None:
    file = jsonl(tmp_path, {"item_id": "heat", "vector": ONES})
    assert refusal(file) == "There is no embedding space 'audio'; there are: none."
    call_command("import_embeddings", "audio", str(file), "--create")
    space = EmbeddingSpace.objects.get()
    assert (space.name, space.dimension, space.metric, space.weight) == ("audio", 64, "cosine", 1.0)
    assert stored() == {"heat": ONES}


def test_one_bad_row_and_nothing_is_stored(audio: EmbeddingSpace, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path,
        {"item_id": "heat", "vector": ONES},
        {"item_id": "ronin", "vector": ONES[:63]},
        {"item_id": "alien", "vector": ONES},
        {"item_id": "heat", "vector": ONES},
        {"item_id": "ronin", "vector": [0] * 64},
        {"item_id": "ronin", "vector": [*ONES[:63], 1e39]},
        {"item_id": "ronin", "vector": [*ONES[:63], True]},
        {"item_id": "ronin"},
    )
    # What cannot be read is told first.
    assert refusal(file).splitlines() == [
        "vectors.jsonl row 7: Expected `float`, got `bool` - at `$.vector[63]`",
        "vectors.jsonl row 8: Object missing required field `vector`",
        "vectors.jsonl row 2: Space 'audio' has 64 dimensions, the vector 63.",
        "vectors.jsonl row 3: There is no item 'alien'.",
        "vectors.jsonl row 4: Item 'heat' is on row 1 already.",
        "vectors.jsonl row 5: Space 'audio' compares directions, and a vector of zeros has none.",
        "vectors.jsonl row 6: vector[63] is 1e+39, which is not a finite 32-bit number.",
        "Nothing was stored: 7 problems.",
    ]
    assert stored() == {}


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_named(audio: EmbeddingSpace, tmp_path: Path, number: float) -> None:
    file = npz(tmp_path, item_ids=np.array(["heat"]), vectors=np.array([[number, *ONES[1:]]]))
    assert refusal(file).splitlines() == [
        f"vectors.npz row 1: vector[0] is {number}, which is not a finite 32-bit number.",
        "Nothing was stored: 1 problem.",
    ]


def test_a_refused_file_leaves_no_space_behind(tmp_path: Path) -> None:
    unknown = jsonl(tmp_path, {"item_id": "alien", "vector": ONES})
    assert "There is no item 'alien'." in refusal(unknown, "--create")
    short = jsonl(tmp_path, {"item_id": "heat", "vector": [1.0]})
    assert refusal(short, "--create") == "A space has 64 to 1,024 dimensions, the first vector 1."
    assert refusal(jsonl(tmp_path), "--create") == "vectors.jsonl holds no vectors."
    assert not EmbeddingSpace.objects.exists()


def test_more_problems_than_a_screen_holds_are_counted(audio: EmbeddingSpace, tmp_path: Path) -> None:
    lines = refusal(jsonl(tmp_path, *({"item_id": f"film {n}", "vector": ONES} for n in range(23)))).splitlines()
    assert len(lines) == 22
    assert lines[-2:] == ["… and 3 more", "Nothing was stored: 23 problems."]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"item_ids": ["heat"]}, "lacks an array; needed are item_ids and vectors"),
        (
            {"item_ids": ["heat"], "vectors": [ONES, ONES]},
            "item_ids (1,) and vectors (2, 64) must be (n,) and (",
        ),
        ({"item_ids": [1.5], "vectors": [ONES]}, "item_ids must be text or integers, vectors numbers; got float64"),
        ({"item_ids": np.array(["heat"], dtype=object), "vectors": [ONES]}, "cannot be read: Object arrays cannot"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    audio: EmbeddingSpace, tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    assert message in refusal(npz(tmp_path, **arrays))
    assert stored() == {}


def test_a_file_that_is_none_is_refused(audio: EmbeddingSpace, tmp_path: Path) -> None:
    (tmp_path / "vectors.npz").write_text("no zip")
    assert refusal(tmp_path / "vectors.npz").startswith("vectors.npz cannot be read: ")
    assert refusal(tmp_path / "none.csv") == f"{tmp_path / 'none.csv'} is no file"
    assert refusal(tmp_path / "x.parquet") == "x.parquet is of no known kind; known are .npz, .jsonl, .ndjson, .csv"
    text = csv(tmp_path, "item_id,vector\nheat,1|x\n")
    assert refusal(text).startswith("vectors.csv row 2: vector is not numbers separated by |: could not convert")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sound track", "x.csv"), "'sound track' is not a name of letters, digits, - and _"),
        (("audio", "x.csv", "--model-version", "x" * 51), "has 51 characters; at most 50"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("import_embeddings", *arguments)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_a_space_without_a_usable_weight_is_refused(weight: float) -> None:
    with pytest.raises(IntegrityError, match="weight_0_or_more_and_finite"), transaction.atomic():
        EmbeddingSpace.objects.create(name="audio", dimension=64, weight=weight)
