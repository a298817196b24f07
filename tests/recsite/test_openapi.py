"""The document is complete: every operation explains itself, its security, its answers and its errors."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from recsite.error_codes import ERROR_CODES
from recsite.openapi import EXAMPLE, document


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid_and_without_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=io.StringIO())


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_every_operation_explains_itself(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert operation["security"] == [{"Api-Key": []}]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [answer for status, answer in operation["responses"].items() if "content" in answer]
    for body in bodies:
        content = body["content"]["application/json"]
        assert content["schema"]
        assert "example" in content or content["examples"], f"{method} {path} has a body without an example"
    for status in ("400", "401", "403", "503"):
        schema = operation["responses"][status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}


def test_operation_ids_are_distinct() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert sorted(set(ids)) == sorted(ids)


def test_the_error_example_has_the_real_shape() -> None:
    error = Client().get("/api/v1/nothing").json()["error"]
    assert (
        set(error)
        == set(EXAMPLE["error"])
        == set(document()["components"]["schemas"]["Error"]["properties"]["error"]["required"])
    )
    assert error["docs"] == EXAMPLE["error"]["docs"]


def test_the_schema_is_served_as_json() -> None:
    response = Client().get("/api/v1/schema")
    assert (response.headers["Content-Type"], response.json()["openapi"][:2]) == ("application/json", "3.")


def test_the_page_names_every_code_and_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/v1/docs")
    for code in ERROR_CODES:
        assert f'id="error-{code}"' in page.text
    assert 'id="errors"' in page.text
    assert "https://" not in page.text
    assert "http://" not in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_the_script_of_the_page_is_served() -> None:
    script = Client().get("/api/v1/docs?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in script.text
