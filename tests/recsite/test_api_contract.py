"""The API keeps to its own document: schemathesis makes requests out of it, good and bad, and judges each answer.

No answer may be a server error, none may have a status, media type, header or body that the document does not name;
what the document allows must be taken and what it forbids be refused. `API_EXAMPLES=1000` makes many more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from catalog.models import EmbeddingSpace
from recsite import api_keys
from recsite.models import ApiKey
from recsite.openapi import document
from recsite.wsgi import application
from tests.recommender.conftest import fresh_process, models  # noqa: F401 -- fixtures
from tests.recommender.film_site import FilmSite

EXAMPLES = int(os.environ.get("API_EXAMPLES", "20"))
SEED = 20260101
BEYOND_A_SCHEMA = {
    "id_invalid": "an id has no invisible characters and is no placeholder such as null or 0000",
    "dimension_mismatch": "a vector is as long as its space says",
    "field_invalid available_until": "an item goes after it has come",
    "field_invalid image_url": "an address has no invisible characters",
    "field_invalid url": "nor has this one",
    "number_out_of_range": "a whole number has 64 bits, also where anything may stand",
    "too_long a key of attributes": "names within it have at most 200 characters",
    "too_long attributes": "all of it at most 32 KB",
    "too_long preferences": "this, too",
    "cursor_invalid": "a cursor is signed, for one user and one question",
    "field_required item_id": "a list of the type similar is about an item",
    "timestamp_future": "an event lies at most a day ahead",
    "timestamp_too_old": "nor before 1970 or what is kept",
    "event_type_unknown": "the site says which types there are",
    "idempotency_key_reused": "nobody sends another request under the same key",
    "request_invalid": "a user is not merged into himself",
    "string_nul": "Postgres stores no NUL",
    "string_surrogate": "nor half a character",
}
"""What a JSON schema cannot say of a request: it may be refused although the document seems to allow it.

By code, and field where it is a certain one."""


def described() -> Any:
    """Return what schemathesis makes of the document, and how it is to ask."""
    schema = schemathesis.openapi.from_dict(document(), config=SchemathesisConfig(seed=SEED))
    schema.app = application
    return schema


@pytest.fixture
def key(committing_database: None, models: Path, settings: Settings) -> str:  # noqa: F811
    """Return a key that may do everything, on a site of nine films with a model where each request commits.

    As often as it likes: thousands of examples are more than an address may ask in a minute.
    """
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 0)
    api_keys.forget()
    FilmSite(nullcontext).does("ann", ("watch", "alien"))
    EmbeddingSpace.objects.create(name="audio", dimension=64, metric="cosine")
    return api_keys.create("everything", ApiKey.Scope.values)


@described().parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    # All requests of an operation go to the same site, on purpose; how slow making them up is depends on the machine.
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_in_the_document(case: Any, key: str) -> None:
    headers = {"Authorization": f"Api-Key {key}"}
    response = case.call(headers=headers)
    excluded = [*_undecidable(response)]
    # The headers once more: some checks ask again, without the key or by another method.
    case.validate_response(response, excluded_checks=excluded, headers=headers, transport_kwargs={"headers": headers})


def _undecidable(response: Any) -> Iterator[Any]:
    """Yield the checks whose verdict is known without the document, or that it cannot give."""
    try:
        answer = json.loads(response.content)
    except ValueError:
        return
    if response.status_code in (400, 422):
        code, field = answer["error"]["code"], answer["error"]["field"]
        if f"{code} {field}".startswith(tuple(BEYOND_A_SCHEMA)):
            yield positive_data_acceptance
    if response.status_code == 413 or (isinstance(answer, dict) and answer.get("rejected")):
        yield negative_data_rejection
