"""System check of RECOMMENDER_TRAINING_ENGINE. Registered by the app's `ready`; imports no trainer."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from recommender import conf
from recommender.exceptions import ConfigurationError
from recommender.training.engines import NAMES, spark_session


def check_engine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return recommender.E008 when the configured engine does not exist, or lacks pyspark or Java."""
    name = conf.get("TRAINING_ENGINE")
    if name not in NAMES:
        message = f"RECOMMENDER_TRAINING_ENGINE is {name!r}; engines are: {', '.join(NAMES)}."
        return [Error(message, id="recommender.E008")]
    try:
        if name == "spark":
            spark_session.require()
    except ConfigurationError as error:
        return [Error(str(error), hint="See RECOMMENDER_TRAINING_ENGINE.", id="recommender.E008")]
    return []
