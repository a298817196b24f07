"""The document is complete: every operation explains itself, its security, its answers and its errors."""

from __future__ import annotations

import io
import re
from typing import Any

import jsonschema
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


def bodies() -> list[tuple[str, dict[str, Any]]]:
    """Return the content of every request and answer that has a body, with a name."""
    found = []
    for path, method, operation in operations():
        parts = {"body": operation.get("requestBody", {}), **operation["responses"]}
        found += [
            (f"{method} {path} {name}", part["content"]["application/json"])
            for name, part in parts.items()
            if "content" in part
        ]
    return found


def examples_of(content: dict[str, Any]) -> list[Any]:
    return [content["example"]] if "example" in content else [one["value"] for one in content["examples"].values()]


@pytest.mark.parametrize(("name", "content"), bodies(), ids=[name for name, _ in bodies()])
def test_every_example_has_the_shape_it_stands_for(name: str, content: dict[str, Any]) -> None:
    schema = as_json_schema({**content["schema"], "components": document()["components"]})
    for example in examples_of(content):
        jsonschema.validate(example, schema, format_checker=jsonschema.FormatChecker())


def as_json_schema(value: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema says the same: there a null is a type of its own."""
    if isinstance(value, list):
        return [as_json_schema(one) for one in value]
    if not isinstance(value, dict):
        return value
    schema = {name: as_json_schema(one) for name, one in value.items()}
    return {"anyOf": [schema, {"type": "null"}]} if schema.pop("nullable", False) is True else schema


def test_an_example_of_another_shape_would_be_found() -> None:
    content = dict(bodies())["get /api/v1/similar/{item_id} 200"]
    wrong = {**examples_of(content)[0], "request_id": 7}
    schema = as_json_schema({**content["schema"], "components": document()["components"]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(("path", "method", "operation"), operations())
def test_every_parameter_says_what_it_is(path: str, method: str, operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        assert parameter.get("description"), f"{method} {path} {parameter['name']}"


def test_every_code_of_a_description_exists() -> None:
    """Answers name their codes in backquotes."""
    for _, _, operation in operations():
        for status, answer in operation["responses"].items():
            if status >= "400":
                for code in re.findall(r"`([a-z]+_[a-z_]+)`", answer["description"]):
                    assert code in {*ERROR_CODES, "event_id", "user_id"}, code
