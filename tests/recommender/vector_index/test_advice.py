from __future__ import annotations

import pytest
from pytest_django import Settings

from recommender.vector_index import handler
from recommender.vector_index.advice import MEASURED, advised, table
from recsite.environment import BASE_DIRECTORY

README = BASE_DIRECTORY / "README.md"


@pytest.mark.parametrize(
    ("items", "label"),
    [
        (0, "brute_force"),
        (99_999, "brute_force"),
        (100_000, "faiss hnsw"),
        (2_000_000, "faiss hnsw"),
    ],
)
def test_the_quickest_of_the_next_smaller_size_is_advised(items: int, label: str) -> None:
    assert advised(items).label == label


def test_what_is_advised_can_be_configured(settings: Settings) -> None:
    for row in MEASURED:
        settings.RECOMMENDER_VECTOR_INDEXES = {"default": {"BACKEND": row.path, "OPTIONS": row.options}}
        assert handler.backend().name == row.backend


def test_the_readme_shows_these_figures() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    start = lines.index("| items | backend | recall@10 | × exact | build CPU s | MB |")
    assert lines[start + 2 : start + 2 + len(MEASURED)] == table()
    assert not lines[start + 2 + len(MEASURED)]
