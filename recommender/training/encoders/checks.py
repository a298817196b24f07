"""System checks of RECOMMENDER_ENCODERS. Registered by the app's `ready`."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from recommender import conf
from recommender.exceptions import ConfigurationError
from recommender.training.encoders.base import encoder


def check_encoders(app_configs: object = None, **kwargs: Any) -> list[CheckMessage]:
    """Return recommender.E005 for each entry that cannot be used, and what each encoder says of this machine."""
    messages: list[CheckMessage] = []
    for alias in conf.get("ENCODERS"):
        try:
            messages.extend(encoder(alias).check())
        except ConfigurationError as error:
            hint = 'Example: {"words": {"BACKEND": "recommender.training.encoders.tfidf.TfidfEncoder"}}.'
            messages.append(Error(str(error), hint=hint, id="recommender.E005"))
    return messages
