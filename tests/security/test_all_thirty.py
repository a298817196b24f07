"""Thirty security and privacy checks, and the test of each; ASVS 5.0 and the OWASP API top ten are behind most."""

from __future__ import annotations

import pytest

from tests.security.source import missing_tests

CHECKS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("objects of others", (
        "security/test_access_matrix.py::test_nobody_sees_what_another_did",
        "recsite/test_publishable_keys.py::test_every_route_it_may_call_asks_for_whom",
    )),
    2: ("functions by role", (
        "security/test_access_matrix.py::test_every_route_stands_here",
        "security/test_access_matrix.py::test_a_key_gets_what_its_scope_says",
        "recsite/test_roles.py::test_a_role_opens_its_pages_and_no_others",
    )),
    3: ("mass assignment", (
        "security/test_hostile_values.py::test_what_only_the_site_may_set_is_refused",
        "security/test_hostile_values.py::test_an_event_says_neither_its_weight_nor_when_it_came",
    )),
    4: ("least data out", (
        "security/test_hostile_values.py::test_a_list_says_nothing_of_the_user_or_how_it_was_made",
        "recsite/test_publishable_keys.py::test_it_does_not_explain",
    )),
    5: ("API keys", (
        "recsite/test_api_keys.py::test_a_key_is_random_and_only_its_hash_is_stored",
        "recsite/test_authentication.py::test_every_wrong_key_gets_the_same_answer",
        "security/test_access_matrix.py::test_a_key_revoked_by_another_process_is_refused_within_five_seconds",
    )),
    6: ("no start without secrets", (
        "security/test_headers.py::test_what_is_insecure_is_refused",
        "security/test_headers.py::test_it_does_not_start_and_says_why_without_the_secret",
    )),
    7: ("check --deploy", (
        "security/test_headers.py::test_every_answer_has_them_and_check_deploy_has_nothing_to_say",
    )),
    8: ("headers", (
        "security/test_headers.py::test_every_answer_has_them_and_check_deploy_has_nothing_to_say",
        "recsite/site/test_views.py::test_pages_have_the_strict_policy_and_obey_it",
    )),
    9: ("CORS", (
        "recsite/test_cors.py::test_no_other_origin_is_let_in",
        "recsite/test_cors.py::test_a_key_is_for_its_own_origins_only",
    )),
    10: ("the widget", ("recommender/browser/test_widget.py::test_a_hostile_catalogue_is_only_text",)),
    11: ("CSRF", ("security/test_access_matrix.py::test_a_form_from_elsewhere_changes_nothing",)),
    12: ("SSRF", ("security/test_requests_elsewhere.py::test_nothing_in_the_product_fetches",)),
    13: ("CSV injection", (
        "catalog/test_spreadsheet_cells.py::test_what_a_spreadsheet_would_run_gets_an_apostrophe",
        "catalog/test_spreadsheet_cells.py::test_every_cell_reads_back_as_it_was",
        "catalog/test_item_spreadsheet.py::test_what_is_exported_is_harmless_and_reads_back_as_it_was",
    )),
    14: ("files", (
        "interactions/test_importing.py::test_an_unsafe_or_foreign_archive_is_refused",
        "interactions/test_importing.py::test_a_link_in_an_archive_is_refused",
        "catalog/test_item_spreadsheet.py::test_a_file_that_cannot_be_right_is_refused_as_a_whole",
    )),
    15: ("no pickle", (
        "security/test_no_pickle.py::test_no_module_unpickles",
        "security/test_no_pickle.py::test_an_array_of_objects_is_refused_and_does_not_run",
        "security/test_no_pickle.py::test_tasks_and_sessions_are_json",
    )),
    16: ("SQL", (
        "security/test_hostile_values.py::test_no_parameter_of_the_api_breaks_it",
        "security/test_hostile_values.py::test_no_id_of_the_api_breaks_it",
        "security/test_hostile_values.py::test_no_filter_search_or_order_of_the_admin_breaks_it",
    )),
    17: ("limits of resources", (
        "security/test_hostile_values.py::test_a_page_has_a_largest_size_whatever_is_asked_for",
        "catalog/api/test_json_body.py::test_a_body_over_the_limit_is_refused_unread",
        "catalog/api/test_json_body.py::test_thirty_two_levels_are_taken",
        "catalog/api/test_json_body.py::test_a_compressed_body_is_refused",
        "recommender/api/test_recommendations.py::test_more_parameters_than_anybody_needs_are_refused",
    )),
    18: ("rate limits", (
        "recsite/test_rate_limits.py::test_another_header_is_no_other_client",
        "recsite/test_rate_limits.py::test_a_hundred_parallel_requests_at_a_limit_of_ten",
        "recsite/test_rate_limits.py::test_processes_share_a_limit",
    )),
    19: ("admin", (
        "recsite/test_login_lock.py::test_the_sixth_try_is_refused_even_with_the_right_password",
        "recsite/test_audit.py::test_a_note_stays_as_it_is",
        "recsite/test_web_role.py::test_it_changes_no_table_and_no_record",
    )),
    20: ("logs", (
        "security/test_logs.py::test_a_run_of_everything_names_nobody",
        "security/test_logs.py::test_a_value_with_line_ends_stays_one_line",
        "security/test_logs.py::test_a_line_has_the_id_that_the_answer_has",
    )),
    21: ("supply chain", (
        "security/test_supply_chain.py::test_every_locked_package_is_listed_with_its_licence",
        "security/test_supply_chain.py::test_lint_runs_bandit_over_every_app",
        "security/test_supply_chain.py::test_no_secret_is_in_the_tree",
        "recsite/test_installation.py::test_a_lock_holds_names_versions_and_hashes_only",
    )),
    22: ("roles of the database", (
        "recsite/test_web_role.py::test_it_reads_and_writes_rows",
        "recsite/test_web_role.py::test_it_changes_no_table_and_no_record",
    )),
    23: ("caches", (
        "security/test_private_answers.py::test_of_many_requests_in_any_order_each_gets_his_own",
        "security/test_private_answers.py::test_no_cache_keeps_a_personal_answer",
    )),
    24: ("erasure", (
        "security/test_a_person.py::test_an_erased_person_is_nowhere",
        "security/test_a_person.py::test_no_artefact_names_anybody",
        "security/test_a_person.py::test_who_comes_back_is_somebody_new",
    )),
    25: ("export", ("security/test_a_person.py::test_the_export_is_all_that_is_stored",)),
    26: ("consent", (
        "security/test_a_person.py::test_a_withdrawn_consent_holds_from_the_next_request_on",
        "security/test_a_person.py::test_a_browser_that_asks_not_to_be_tracked_leaves_nothing",
        "security/test_a_person.py::test_the_api_heeds_a_browser_that_asks_not_to_be_tracked",
        "recsite/test_publishable_keys.py::test_without_consent_nobody_is_recognised_and_nothing_is_stored",
        "interactions/api/test_users.py::test_when_and_to_which_text_somebody_agreed_is_kept",
    )),
    27: ("minimising", (
        "security/test_a_person.py::test_what_is_kept_is_what_readme_says",
        "recsite/test_rate_limits.py::test_no_address_is_kept_in_redis",
    )),
    28: ("retention", ("interactions/test_retention.py::test_partitions_that_are_wholly_too_old_are_dropped",)),
    29: ("fake clicks", ("security/test_fake_clicks.py::test_one_person_is_one_person",)),
    30: ("the contract", ("security/test_hostile_values.py::test_every_answer_is_one_of_the_document",)),
}  # fmt: skip


def test_there_are_thirty() -> None:
    assert sorted(CHECKS) == list(range(1, 31))
    assert len({what for what, _ in CHECKS.values()}) == 30


@pytest.mark.parametrize("number", CHECKS)
def test_each_has_a_test_that_exists(number: int) -> None:
    _, tests = CHECKS[number]
    assert tests
    assert missing_tests(tests) == []
