"""Cells of exported files: harmless in a spreadsheet, and back as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.spreadsheet_cells import cell, escaped, flag, texts, tree, unescaped, unknown


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-5", "'-5"),
        ("@cmd", "'@cmd"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("'=1", "''=1"),
        ("'Tis", "'Tis"),
        ("Heat", "Heat"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(value: str, safe: str) -> None:
    assert (escaped(value), unescaped(safe)) == (safe, value)


@given(st.text(st.sampled_from("'=+-@\t\ra1"), max_size=6))
def test_every_cell_reads_back_as_it_was(value: str) -> None:
    assert unescaped(escaped(value)) == value
    assert escaped(value)[:1] not in tuple("=+-@\t\r")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (7, "7"),
        (["heist", "la"], "heist|la"),
        ([], ""),
        (["a|b"], '["a|b"]'),
        (["[x"], '["[x"]'),
        ({"é": 1}, '{"é": 1}'),
        ({}, ""),
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00+00:00"),
    ],
)
def test_a_value_is_written_as_text(value: Any, text: str) -> None:
    assert cell(value) == text


@given(st.lists(st.text(max_size=3), max_size=3))
def test_lists_of_texts_read_back(entries: list[str]) -> None:
    assert texts(cell(entries)) == entries


def test_what_cannot_be_read_is_refused() -> None:
    for read, text, message in [
        (texts, "[1]", "is not a list of texts"),
        (texts, "[", "is not JSON: '['"),
        (tree, "{a}", "is not JSON: '{a}'"),
        (tree, "[" * 100_000, "is not JSON"),
        (flag, "maybe", "must be true or false, got 'maybe'"),
    ]:
        with pytest.raises(ValueError) as refusal:
            read(text)
        assert str(refusal.value).startswith(message)
    assert [flag(text) for text in ("TRUE", "1", "yes", " no", "0", "false")] == [True] * 3 + [False] * 3


def test_columns_are_known_and_there_once() -> None:
    assert unknown(["a", "b"], ["a", "b", "c"]) == ""
    assert unknown(["a", "x"], ["a", "b"]) == "There is no column 'x'; there are: a, b."
    assert unknown(["a", "a"], ["a", "b"]) == "The column 'a' is there twice."
