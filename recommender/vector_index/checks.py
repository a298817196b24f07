"""System checks of RECOMMENDER_VECTOR_INDEXES. Registered by the app's `ready`."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from recommender.exceptions import ConfigurationError
from recommender.vector_index import handler


def check_vector_indexes(app_configs: object = None, **kwargs: Any) -> list[CheckMessage]:
    """Return recommender.E001 for each entry that cannot be used, and what each backend says of this machine."""
    messages: list[CheckMessage] = []
    for alias in handler.configured():
        try:
            messages.extend(handler.backend(alias).check())
        except ConfigurationError as error:
            messages.append(
                Error(
                    str(error),
                    hint='Example: {"default": {"BACKEND": "recommender.vector_index.annoy.AnnoyIndexBackend"}}.',
                    id="recommender.E001",
                )
            )
    return messages
