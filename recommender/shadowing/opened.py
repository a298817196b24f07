"""The shadowing version's files in this process: a second mapped model while one shadows, none otherwise."""

from __future__ import annotations

import logging
import time

from catalog.snapshot import Catalogue
from recommender.exceptions import ArtifactError
from recommender.pipeline import model_view
from recommender.pipeline.model_view import ModelView
from recommender.registry import storage
from recommender.registry.active import RETRY_SECONDS
from recommender.registry.artifacts import Bundle
from recommender.shadowing.switch import RunningShadow

logger = logging.getLogger(__name__)

_held: tuple[int, ModelView] | None = None
"""Primary key of the version and its view."""
_failed: tuple[int, float, ArtifactError] | None = None
"""Primary key of the version that could not be opened, monotonic time until which it is not tried again, and why."""


def view(shadow: RunningShadow, catalogue: Catalogue) -> ModelView:
    """Return the shadow's model as `catalogue` sees it. For the comparing thread only: opening reads all its files.

    Raises
    ------
    ArtifactError
        The files are missing or damaged; tried again after RETRY_SECONDS.
    """
    global _held
    held = _held
    if held is None or held[0] != shadow.version_pk:
        made = model_view.build(_read(shadow), catalogue)
    elif held[1].catalogue is not catalogue:
        made = model_view.build(held[1].bundle, catalogue, earlier=held[1])
    else:
        return held[1]
    _held = shadow.version_pk, made
    return made


def _read(shadow: RunningShadow) -> Bundle:
    global _failed
    failed = _failed
    if failed is not None and failed[0] == shadow.version_pk and time.monotonic() < failed[1]:
        raise failed[2]
    try:
        bundle = storage.load(shadow.directory, shadow.manifest_sha256)
    except ArtifactError as error:
        logger.warning("shadow %s cannot be opened: %s", shadow.name, error)
        _failed = shadow.version_pk, time.monotonic() + RETRY_SECONDS, error
        raise
    _failed = None
    return bundle


def let_go() -> None:
    """Hold nothing, so that the memory is free again."""
    global _held, _failed
    _held = _failed = None
