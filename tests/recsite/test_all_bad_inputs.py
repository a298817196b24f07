"""Thirty kinds of bad input, and the tests that say which answer each gets."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.recsite import test_bad_inputs as table
from tests.security.source import missing_tests

BODY = "recsite/test_bad_inputs.py::test_a_bad_body_is_refused"
HEADER = "recsite/test_bad_inputs.py::test_bad_headers_are_refused"
QUERY = "recsite/test_bad_inputs.py::test_a_bad_request_for_a_list_is_refused"
PLACE = "catalog/api/test_json_body.py::test_what_no_column_can_hold_is_refused_by_its_place"
IN_TABLE = {
    BODY: {row[0][:2] for row in table.BODIES},
    HEADER: {row[0][:2] for row in table.HEADERS},
    QUERY: {row[0][:2] for row in table.QUERIES},
}

INPUTS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("malformed JSON", (BODY, "interactions/test_validation.py::test_names_line_and_column_of_malformed_json")),
    2: ("an empty body", (BODY,)),
    3: ("no object", (BODY, "catalog/api/test_json_body.py::test_anything_but_an_object_is_named")),
    4: ("another encoding", (BODY,)),
    5: ("too deep", (BODY, "catalog/api/test_json_body.py::test_thirty_two_levels_are_taken")),
    6: ("10 MB", (
        BODY,
        "catalog/api/test_json_body.py::test_a_body_over_the_limit_is_refused_unread",
        "recsite/test_errors.py::test_a_refused_body_is_read_to_its_end",
    )),
    7: ("one event too large", (
        BODY, "recsite/test_bad_inputs.py::test_07_in_a_batch_only_the_event_that_is_too_large_is_refused",
    )),
    8: ("1,001 events", (BODY,)),
    9: ("gzip", (HEADER, "catalog/api/test_json_body.py::test_a_compressed_body_is_refused")),
    10: ("another media type", ("recsite/test_bad_inputs.py::test_10_another_media_type_is_refused",)),
    11: ("no number", (BODY,)),
    12: ("a number too large", (BODY, "catalog/api/test_json_body.py::test_the_largest_numbers_are_taken")),
    13: ("NUL", (BODY, PLACE)),
    14: ("a lone surrogate", (BODY, PLACE)),
    15: ("a key twice", (BODY,)),
    16: ("a field missing", (BODY,)),
    17: ("an id that is none", (BODY, "interactions/test_validation.py::test_refuses_what_is_no_id")),
    18: ("an id of another type", (BODY,)),
    19: ("an event id that is none", (BODY,)),
    20: ("a timestamp that is none", (BODY, "interactions/test_validation.py::test_refuses_a_timestamp")),
    21: ("a timestamp ahead", (
        BODY, "recsite/test_bad_inputs.py::test_21_a_clock_that_is_a_little_ahead_is_warned_of",
    )),
    22: ("a timestamp too old", (
        BODY,
        "recsite/test_bad_inputs.py::test_22_an_event_that_would_be_dropped_at_once_is_refused",
        "interactions/test_validation.py::test_what_would_be_dropped_at_once_is_refused",
    )),
    23: ("an unknown type or field", (
        BODY,
        "recsite/test_bad_inputs.py::test_23_an_unknown_field_is_ignored_of_an_event_and_refused_of_what_is_edited",
    )),
    24: ("a limit or cursor", (QUERY,)),
    25: ("an unknown item or user", (
        QUERY, "recsite/test_bad_inputs.py::test_25_an_unknown_user_gets_what_most_people_take",
    )),
    26: ("an Idempotency-Key", (
        HEADER,
        "recsite/test_bad_inputs.py::test_26_an_idempotency_key_is_for_one_request",
        "catalog/api/test_once.py::test_while_the_first_is_under_way_the_second_is_refused",
    )),
    27: ("a file", (
        "interactions/test_importing.py::test_a_broken_row_of_events_refuses_everything",
        "interactions/test_importing.py::test_a_broken_item_refuses_everything",
        "interactions/test_importing.py::test_byte_order_marks_and_windows_line_ends_do_no_harm",
        "interactions/test_importing.py::test_the_old_layout_is_read_in_latin_1",
        "interactions/test_importing.py::test_a_formula_is_stored_as_text",
        "interactions/test_importing.py::test_a_line_without_end_is_left_behind",
        "interactions/test_importing.py::test_partial_keeps_the_good_rows_and_notes_the_bad",
        "interactions/test_importing.py::test_an_unsafe_or_foreign_archive_is_refused",
        "interactions/test_importing.py::test_a_damaged_zip_is_named",
        "catalog/test_item_spreadsheet.py::test_wrong_rows_are_told_by_number_and_nothing_is_saved",
        "catalog/test_item_spreadsheet.py::test_a_file_that_cannot_be_right_is_refused_as_a_whole",
        "catalog/test_spreadsheet_cells.py::test_what_a_spreadsheet_would_run_gets_an_apostrophe",
    )),
    28: ("a key that is none", (
        HEADER,
        "recsite/test_bad_inputs.py::test_28_a_revoked_key_and_a_key_without_the_scope",
        "recsite/test_authentication.py::test_every_wrong_key_gets_the_same_answer",
    )),
    29: ("too often", (
        "recsite/test_bad_inputs.py::test_29_a_key_beyond_its_limit_is_told_when_to_come_back",
        "recsite/test_rate_limits.py::test_a_hundred_parallel_requests_at_a_limit_of_ten",
    )),
    30: ("a wrong method or path", (
        QUERY, "recsite/test_bad_inputs.py::test_30_a_wrong_method_is_told_the_right_ones",
    )),
}  # fmt: skip


def test_there_are_thirty() -> None:
    assert sorted(INPUTS) == list(range(1, 31))
    assert len({what for what, _ in INPUTS.values()}) == 30


@pytest.mark.parametrize("number", INPUTS)
def test_each_has_a_test_that_exists(number: int) -> None:
    _, tests = INPUTS[number]
    assert tests
    assert missing_tests(tests) == []
    assert all(f"{number:02}" in IN_TABLE[test] for test in tests if test in IN_TABLE)


def test_every_row_of_the_tables_stands_here() -> None:
    named = {test: {f"{number:02}" for number, (_, tests) in INPUTS.items() if test in tests} for test in IN_TABLE}
    assert named == IN_TABLE


def test_every_test_of_a_number_stands_here() -> None:
    tree = ast.parse(Path(table.__file__).read_text(encoding="utf-8"))
    numbered = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[5:7].isdecimal()]
    for name in numbered:
        assert f"recsite/test_bad_inputs.py::{name}" in INPUTS[int(name[5:7])][1]
