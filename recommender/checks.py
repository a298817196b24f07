"""System checks of the recommender's settings. Every id is listed in README.

recommender.E001    an entry of RECOMMENDER_VECTOR_INDEXES cannot be used (`vector_index.checks`)
recommender.W001    Annoy is not installed: exact search answers (`vector_index.annoy`)
recommender.W002    FAISS is not installed: exact search answers (`vector_index.faiss`)
recommender.W003    pymilvus is not installed: exact search answers (`vector_index.milvus`)
recommender.W004    Milvus does not answer, or is too old (`vector_index.milvus`)
recommender.E002    a recipe cannot be built
recommender.E003    a recipe's fallback does not exist, or the fallbacks go in a circle
recommender.E004    a setting RECOMMENDER_… does not exist (misspelt)
recommender.E005    an entry of RECOMMENDER_ENCODERS cannot be used (`training.encoders.checks`)
recommender.E006    the library of an encoder is not installed (`training.encoders.pretrained`)
recommender.E007    RECOMMENDER_MODEL_STORE names a store that nothing installed speaks to
recommender.E008    RECOMMENDER_TRAINING_ENGINE names no engine, or lacks pyspark or Java (`training.engines.checks`)
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from recommender import conf
from recommender.exceptions import ConfigurationError
from recommender.pipeline import recipes
from recommender.registry import object_store

OTHER_SETTINGS = {"RECOMMENDER_ITEM_URL"}
"""Settings with this prefix that other apps read."""


def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each setting of the recommender that it does not know."""
    known = {f"RECOMMENDER_{name}" for name in conf.DEFAULTS} | OTHER_SETTINGS
    return [
        Error(
            f"There is no setting {name}.",
            hint=f"Settings are: {', '.join(sorted(known))}.",
            id="recommender.E004",
        )
        for name in dir(settings)
        if name.startswith("RECOMMENDER_") and name not in known
    ]


def check_recipes(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each recipe that could not answer."""
    errors: list[CheckMessage] = []
    names = conf.get("RECIPES")
    fallback = {}
    for name in names:
        try:
            fallback[name] = recipes.get(name).fallback
        except ConfigurationError as error:
            errors.append(Error(str(error), hint="See RECOMMENDER_RECIPES.", id="recommender.E002"))
    for name in fallback:
        chain = [name]
        while fallback.get(chain[-1]):
            following = fallback[chain[-1]]
            if following not in names or following in chain:
                message = f"Recipe {name!r} falls back {' → '.join([*chain, following])}."
                hint = "The last recipe of the chain must exist and have no fallback of its own."
                errors.append(Error(message, hint=hint, id="recommender.E003"))
                break
            chain.append(following)
    return errors


def check_model_store(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error when the object store cannot be spoken to; whether it answers is for `doctor` to say."""
    try:
        object_store.configured()
    except ConfigurationError as error:
        return [Error(str(error), id="recommender.E007")]
    return []
