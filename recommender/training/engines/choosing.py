"""The engine that RECOMMENDER_TRAINING_ENGINE, or a command, names."""

from __future__ import annotations

from recommender import conf
from recommender.exceptions import ConfigurationError
from recommender.training.engines import NAMES
from recommender.training.engines.base import Engine
from recommender.training.engines.local import LocalEngine


def engine(name: str = "") -> Engine:
    """Return a new engine, not started yet; ConfigurationError when there is none of that name ("": as configured)."""
    chosen = name or str(conf.get("TRAINING_ENGINE"))
    if chosen == "local":
        return LocalEngine()
    if chosen == "spark":
        # pyspark is an extra, and takes a second to import.
        from recommender.training.engines.spark import SparkEngine

        return SparkEngine()
    raise ConfigurationError(f"There is no training engine {chosen!r}; engines are: {', '.join(NAMES)}.")
