from __future__ import annotations

import pytest

from experiments.targeting import overlap, words


@pytest.mark.parametrize(
    ("text", "expected"), [("", set()), (" , ", set()), ("FR", {"FR"}), ("FR, DE,FR ", {"FR", "DE"})]
)
def test_words_stand_between_commas(text: str, expected: set[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("", "", True), ("", "FR", True), ("FR", "", True), ("FR,DE", "DE", True), ("FR", "DE", False)],
)
def test_what_is_for_everybody_meets_everything(one: str, other: str, expected: bool) -> None:
    assert overlap(words(one), words(other)) is expected
